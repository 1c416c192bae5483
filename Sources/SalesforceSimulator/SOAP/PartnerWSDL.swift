/// The description of the partner API that SOAP clients read, made from ``PartnerSchema`` (wire reference 10.1).
struct PartnerWSDL {
    /// The API version of the address in it, such as `62.0`.
    let version: String
    /// Scheme, host and port.
    let base: String
    /// False leaves login out, as in versions that have it no more.
    var offersLogin = true

    private var operations: [SchemaOperation] { PartnerSchema.operations.filter { offersLogin || $0.name != "login" } }

    var text: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <definitions targetNamespace="\(PartnerSchema.namespace)" xmlns="http://schemas.xmlsoap.org/wsdl/" \
        xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
        xmlns:tns="\(PartnerSchema.namespace)" xmlns:fns="\(PartnerSchema.faultNamespace)" xmlns:sf="\(PartnerSchema.recordNamespace)">
        <types>
        \(records)\(partner)\(faults)</types>
        \(messages)\(portType)\(binding)<service name="SforceService">
        <port binding="tns:SoapBinding" name="Soap"><soap:address location="\(base)/services/Soap/u/\(version)"/></port>
        </service>
        </definitions>

        """
    }

    // MARK: Schemas

    private func schema(_ namespace: String, imports: [String], _ body: String) -> String {
        let imported = imports.map { "<xsd:import namespace=\"\($0)\"/>\n" }.joined()
        return "<xsd:schema elementFormDefault=\"qualified\" targetNamespace=\"\(namespace)\">\n\(imported)\(body)</xsd:schema>\n"
    }

    /// A record: its type, names to clear, its id, and any fields.
    private var records: String {
        schema(PartnerSchema.recordNamespace, imports: [PartnerSchema.namespace], """
            <xsd:complexType name="sObject"><xsd:sequence>
            <xsd:element name="type" type="xsd:string"/>
            <xsd:element name="fieldsToNull" type="xsd:string" nillable="true" minOccurs="0" maxOccurs="unbounded"/>
            <xsd:element name="Id" type="tns:ID" nillable="true"/>
            <xsd:any namespace="##targetNamespace" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
            </xsd:sequence></xsd:complexType>

            """)
    }

    private var partner: String {
        var body = ""
        for type in PartnerSchema.simpleTypes {
            body += "<xsd:simpleType name=\"\(type.name)\"><xsd:restriction base=\"xsd:string\">"
            for value in type.values { body += "<xsd:enumeration value=\"\(value)\"/>" }
            body += "</xsd:restriction></xsd:simpleType>\n"
        }
        for type in PartnerSchema.types { body += complexType(type) }
        for header in PartnerSchema.headers { body += "<xsd:element name=\"\(header.name)\"><xsd:complexType>\(sequence(header.elements))</xsd:complexType></xsd:element>\n" }
        for operation in operations {
            body += "<xsd:element name=\"\(operation.name)\"><xsd:complexType>\(sequence(operation.parameters))</xsd:complexType></xsd:element>\n"
            let results = operation.result.map { [$0] } ?? []
            body += "<xsd:element name=\"\(operation.name)Response\"><xsd:complexType>\(sequence(results))</xsd:complexType></xsd:element>\n"
        }
        return schema(PartnerSchema.namespace, imports: [PartnerSchema.recordNamespace], body)
    }

    private var faults: String {
        var body = "<xsd:element name=\"fault\" type=\"fns:ApiFault\"/>\n"
        for fault in PartnerSchema.faults {
            body += complexType(fault, own: "fns")
            body += "<xsd:element name=\"\(fault.name)\" type=\"fns:\(fault.name)\"/>\n"
        }
        return schema(PartnerSchema.faultNamespace, imports: [PartnerSchema.namespace], body)
    }

    private func complexType(_ type: SchemaType, own prefix: String = "tns") -> String {
        guard let base = type.base else { return "<xsd:complexType name=\"\(type.name)\">\(sequence(type.elements))</xsd:complexType>\n" }
        return "<xsd:complexType name=\"\(type.name)\"><xsd:complexContent><xsd:extension base=\"\(prefix):\(base)\">"
            + "\(sequence(type.elements))</xsd:extension></xsd:complexContent></xsd:complexType>\n"
    }

    private func sequence(_ elements: [SchemaElement]) -> String {
        "<xsd:sequence>" + elements.map { element in
            let count = switch element.count {
            case .one: ""
            case .atMostOne: " minOccurs=\"0\""
            case .any: " minOccurs=\"0\" maxOccurs=\"unbounded\""
            }
            return "<xsd:element name=\"\(element.name)\" type=\"\(qualified(element.type))\"\(element.nillable ? " nillable=\"true\"" : "")\(count)/>"
        }.joined() + "</xsd:sequence>"
    }

    private func qualified(_ type: String) -> String {
        if type.contains(":") { return type }
        let isOwn = PartnerSchema.type(type) != nil || PartnerSchema.simpleTypes.contains { $0.name == type }
        return (isOwn ? "tns:" : "xsd:") + type
    }

    // MARK: Messages

    private var messages: String {
        var text = "<message name=\"Header\">\n"
        for header in PartnerSchema.headers { text += "<part element=\"tns:\(header.name)\" name=\"\(header.name)\"/>\n" }
        text += "</message>\n"
        for fault in PartnerSchema.faults { text += "<message name=\"\(fault.name)\"><part name=\"fault\" element=\"fns:\(fault.name)\"/></message>\n" }
        for operation in operations {
            for (message, element) in [("Request", operation.name), ("Response", operation.name + "Response")] {
                text += "<message name=\"\(operation.name)\(message)\"><part element=\"tns:\(element)\" name=\"parameters\"/></message>\n"
            }
        }
        return text
    }

    private var portType: String {
        var text = "<portType name=\"Soap\">\n"
        for operation in operations {
            text += "<operation name=\"\(operation.name)\"><input message=\"tns:\(operation.name)Request\"/><output message=\"tns:\(operation.name)Response\"/>"
            for fault in operation.faults { text += "<fault message=\"tns:\(fault)\" name=\"\(fault)\"/>" }
            text += "</operation>\n"
        }
        return text + "</portType>\n"
    }

    private var binding: String {
        var text = "<binding name=\"SoapBinding\" type=\"tns:Soap\"><soap:binding style=\"document\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n"
        func header(_ name: String) -> String { "<soap:header use=\"literal\" message=\"tns:Header\" part=\"\(name)\"/>" }
        for operation in operations {
            text += "<operation name=\"\(operation.name)\"><soap:operation soapAction=\"\"/><input>"
            text += operation.headers.map(header).joined() + "<soap:body parts=\"parameters\" use=\"literal\"/></input><output>"
            if operation.name != "login" { text += header("LimitInfoHeader") }
            text += "<soap:body parts=\"parameters\" use=\"literal\"/></output>"
            for fault in operation.faults { text += "<fault name=\"\(fault)\"><soap:fault name=\"\(fault)\" use=\"literal\"/></fault>" }
            text += "</operation>\n"
        }
        return text + "</binding>\n"
    }
}

/// `GET /services/wsdl/partner`: the description at the newest version that has login, or the one of `?version=`.
struct WSDLHandler: FamilyHandler {
    let request: SimRequest

    func describe() -> CallDescription { CallDescription(.soap, "wsdl", version: request.query["version"]) }

    func refusal(_ error: APIError) -> Reply { RESTHandler.refusal(error) }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        guard request.segments.count == 3, request.segments[2].lowercased() == "partner" else { throw APIError.notFound() }
        let versions = context.state.settings.versions
        let newest = versions.last { context.state.settings.soap.offersLogin($0) } ?? versions.last
        guard let version = request.query["version"] ?? newest, versions.contains(version) else { throw APIError.notFound() }
        return WSDLHandler.reply(version, request, context)
    }

    static func reply(_ version: String, _ request: SimRequest, _ context: CallContext) -> Reply {
        .xml(200, PartnerWSDL(version: version, base: request.baseURL, offersLogin: context.state.settings.soap.offersLogin(version)).text)
    }
}
