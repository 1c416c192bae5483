/// How the rows of a query result are written: CSV, or the JSON and XML of Bulk 1.0 (wire reference 4.1, 4.4).
struct BulkRowFormat: Sendable {
    private let contentType: BulkJob.ContentType
    private let version: String
    private let epochDates: Bool
    let writer: CSVWriter

    init(_ job: BulkJob, epochDates: Bool) {
        contentType = job.contentType
        version = job.version
        self.epochDates = epochDates
        writer = CSVWriter(separator: job.separator, lineEnding: job.lineEnding == "CRLF" ? "\r\n" : "\n")
    }

    /// What stands before the first row.
    func start(_ plan: QueryPlan) -> String {
        switch contentType {
        case .csv:
            var header = writer
            header.line(plan.columns.map { $0.path.joined(separator: ".") })
            return header.text
        case .json: return "["
        case .xml: return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><queryResult xmlns=\"\(BulkDocument.namespace)\" xmlns:xsi=\"\(BulkDocument.instance)\">"
        }
    }

    var end: String {
        switch contentType {
        case .csv: ""
        case .json: "]"
        case .xml: "</queryResult>"
        }
    }

    func write(_ record: ResultRecord, isFirst: Bool, to writer: inout CSVWriter) {
        switch contentType {
        case .csv: writer.line(record.fields.map { $0.1.plainText })
        case .json: writer.raw((isFirst ? "" : ",\n") + json(record).text)
        case .xml:
            var element = XMLWriter()
            xml(record, "records", to: &element)
            writer.raw(element.text)
        }
    }

    /// Datetimes are milliseconds since 1970 here, unlike in REST.
    private func json(_ record: ResultRecord) -> JSON {
        var attributes: JSON = ["type": .string(record.type)]
        if let id = record.id { attributes.set("url", .string("/services/data/v\(version)/sobjects/\(record.type)/\(id)")) }
        var members = [JSON.Member(key: "attributes", value: attributes)]
        for (name, value) in record.fields {
            let text: JSON = switch value {
            case .dateTime(let instant) where epochDates: .int(instant)
            case .record(let parent): json(parent)
            default: value.json(version: version, record: record, field: name)
            }
            members.append(JSON.Member(key: name, value: text))
        }
        return .object(members)
    }

    private func xml(_ record: ResultRecord, _ name: String, to writer: inout XMLWriter) {
        writer.raw("<\(name) xsi:type=\"sObject\">")
        writer.element("type", record.type)
        for (field, value) in record.fields {
            if case .record(let parent) = value { xml(parent, field, to: &writer) } else { writer.element(field, value.plainText) }
        }
        writer.close(name)
    }
}
