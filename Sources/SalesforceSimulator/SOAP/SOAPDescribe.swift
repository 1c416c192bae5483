/// Describe over SOAP: what REST describes, in the elements of the partner schema and their order (wire reference 10.3).
enum SOAPDescribe {
    static func object(_ object: ObjectDefinition, all: [ObjectDefinition]) -> String {
        var writer = XMLWriter("<result>")
        write(Describe.object(object, all: all, version: ""), "DescribeSObjectResult", &writer)
        return writer.text + "</result>"
    }

    static func global(_ objects: [ObjectDefinition]) -> String {
        var writer = XMLWriter("<result>")
        let document: JSON = [
            "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": .array(objects.map { .object(Describe.entry($0, version: "")) }),
        ]
        write(document, "DescribeGlobalResult", &writer)
        return writer.text + "</result>"
    }

    private static func write(_ value: JSON, _ type: String, _ writer: inout XMLWriter) {
        for element in PartnerSchema.elements(of: type) {
            let name = element.name
            let parts = element.count == .any ? value[name]?.elements ?? [] : [value[name] ?? .null]
            for part in parts {
                switch part {
                case .null where name == "idEnabled": writer.element(name, "true")
                // An optional element without a value is left out; one that must be there is nil or empty.
                case .null where element.count != .one: break
                case .null: writer.element(name, element.nillable ? nil : "")
                case .object:
                    writer.open(name)
                    write(part, element.type, &writer)
                    writer.close(name)
                case _ where element.type == "anyType":
                    let isFlag = if case .bool = part { true } else { false }
                    writer.raw("<\(name) xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xsi:type=\"xsd:\(isFlag ? "boolean" : "string")\">")
                    XMLWriter.escape(part.string ?? "", into: &writer)
                    writer.close(name)
                default: writer.element(name, part.string)
                }
            }
        }
    }
}
