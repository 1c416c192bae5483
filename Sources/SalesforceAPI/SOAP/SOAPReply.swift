/// Reads answers of the partner API.
struct SOAPReply<Result: Sendable>: Sendable {
    /// One for each `result` element, in order.
    var results: [Result]

    /// Reads the answer to `operation`. `each` is called at the start of every `result` element, must consume it through its
    /// end, and is told whether it is nil. Anything but a complete answer to this operation is malformed.
    init(
        _ bytes: [UInt8], operation: String,
        each: (_ reader: inout XMLReader, _ isNil: Bool) throws(XMLReader.Malformed) -> Result
    ) throws(XMLReader.Malformed) {
        var reader = XMLReader(bytes)
        var results: [Result] = []
        var answered = false
        guard case .start("Envelope", _) = try Self.firstElement(&reader) else { throw XMLReader.Malformed() }
        try reader.eachChild { (part, _, reader) throws(XMLReader.Malformed) in
            guard part == "Body" else { return try reader.skipElement() }
            try reader.eachChild { (name, _, reader) throws(XMLReader.Malformed) in
                guard name == operation + "Response" else { throw XMLReader.Malformed() }
                answered = true
                try reader.eachChild { (name, isNil, reader) throws(XMLReader.Malformed) in
                    guard name == "result" else { throw XMLReader.Malformed() }
                    results.append(try each(&reader, isNil))
                }
            }
        }
        guard answered, try reader.next() == nil else { throw XMLReader.Malformed() }
        self.results = results
    }

    private static func firstElement(_ reader: inout XMLReader) throws(XMLReader.Malformed) -> XMLReader.Event? {
        while let event = try reader.next() {
            if case .text = event { continue }
            return event
        }
        return nil
    }
}

/// What a SOAP answer says of the org's use, whatever else is in it.
enum SOAPUsage {
    /// - Returns: nil for an answer, or a fault, that says nothing.
    static func read(_ bytes: [UInt8]) -> APIUsage? {
        var reader = XMLReader(bytes)
        do throws(XMLReader.Malformed) {
            var depth = 0
            // The header comes first; the body, which may be long, is not read.
            while let event = try reader.next() {
                guard case .start(let name, _) = event else { continue }
                depth += 1
                if depth == 2 { return name == "Header" ? try header(&reader) : nil }
            }
        } catch {}
        return nil
    }

    /// `LimitInfoHeader/limitInfo` with `current` and `limit` (API reference 3.2).
    private static func header(_ reader: inout XMLReader) throws(XMLReader.Malformed) -> APIUsage? {
        var usage: APIUsage?
        try reader.eachChild { (name, _, reader) throws(XMLReader.Malformed) in
            guard name == "LimitInfoHeader" else { return try reader.skipElement() }
            try reader.eachChild { (_, _, reader) throws(XMLReader.Malformed) in
                var values: [String: String] = [:]
                try reader.eachChild { (name, _, reader) throws(XMLReader.Malformed) in values[name] = try reader.text() }
                if values["type"] == "API REQUESTS", let used = values["current"].flatMap({ Int($0) }),
                    let maximum = values["limit"].flatMap({ Int($0) })
                {
                    usage = APIUsage(used: used, maximum: maximum)
                }
            }
        }
        return usage
    }
}

extension WriteResult {
    /// Reads a SaveResult, UpsertResult or DeleteResult (API reference 3.4). A result that says neither success nor why not is
    /// malformed.
    static func read(_ reader: inout XMLReader, isCreate: Bool) throws(XMLReader.Malformed) -> WriteResult {
        var id: String?
        var success: Bool?
        var created = false
        var errors: [RecordError] = []
        try reader.eachChild { (name, isNil, reader) throws(XMLReader.Malformed) in
            switch name {
            case "id":
                let text = try reader.text()
                id = isNil || text.isEmpty ? nil : SalesforceID.normalized(text) ?? text
            case "success": success = try reader.text() == "true"
            case "created": created = try reader.text() == "true"
            case "errors" where !isNil: errors.append(try RecordError.read(&reader))
            default: try reader.skipElement()
            }
        }
        guard let success else { throw XMLReader.Malformed() }
        return WriteResult(id: id, success: success, created: success && (created || isCreate), errors: errors)
    }
}

extension RecordError {
    static func read(_ reader: inout XMLReader) throws(XMLReader.Malformed) -> RecordError {
        var code = ""
        var message = ""
        var fields: [String] = []
        try reader.eachChild { (name, isNil, reader) throws(XMLReader.Malformed) in
            switch name {
            case "statusCode": code = try reader.text()
            case "message": message = try reader.text()
            case "fields":
                let field = try reader.text()
                if !isNil, !field.isEmpty { fields.append(field) }
            default: try reader.skipElement()
            }
        }
        return RecordError(statusCode: code, message: message, fields: fields)
    }
}
