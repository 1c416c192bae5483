/// Finds, before sending, the records that would make Salesforce refuse the whole call, and says so record by record.
enum WritePreflight {
    /// Why `record` must not travel in `operation`; nil when it may.
    static func refusal(_ record: WriteRecord, _ operation: WriteOperation) -> RecordError? {
        guard XMLWriter.isName(record.objectType) else { return name(record.objectType, of: "object") }
        if let id = record.id, SalesforceID.normalized(id) == nil { return malformed(id) }
        if operation == .update, record.id == nil {
            return RecordError(statusCode: "MISSING_ARGUMENT", message: "Id not specified in an update call; not sent")
        }
        for field in record.fields {
            guard XMLWriter.isName(field.name) else { return name(field.name, of: "field") }
            if let error = forbiddenCharacter(in: field.value, of: field.name) { return error }
        }
        for field in record.nulls where !XMLWriter.isName(field) { return name(field, of: "field") }
        for parent in record.parents {
            for part in [parent.relationshipName, parent.parentType, parent.externalIDField] where !XMLWriter.isName(part) {
                return name(part, of: "relationship")
            }
            if let error = forbiddenCharacter(in: parent.value, of: "\(parent.relationshipName).\(parent.externalIDField)") {
                return error
            }
        }
        return nil
    }

    /// Why `id` cannot be asked for or deleted.
    static func refusal(id: String) -> RecordError? { SalesforceID.normalized(id) == nil ? malformed(id) : nil }

    private static func forbiddenCharacter(in value: String, of field: String) -> RecordError? {
        guard let scalar = XMLWriter.firstForbidden(in: value) else { return nil }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let number = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return RecordError(
            statusCode: "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
            message: "\(field) holds the character U+\(number), which cannot be sent to Salesforce: remove it and try again",
            fields: [field])
    }

    private static func malformed(_ id: String) -> RecordError {
        RecordError(statusCode: "MALFORMED_ID", message: "\(id.prefix(40)) is no Salesforce id; not sent", fields: ["Id"])
    }

    private static func name(_ name: String, of kind: String) -> RecordError {
        RecordError(statusCode: "INVALID_FIELD", message: "\(name.prefix(80)) is no name of a Salesforce \(kind); not sent")
    }

    /// A refusal of the whole call before sending: more than Salesforce takes at once.
    static func checkSize(_ records: [WriteRecord], operation: String) throws(SalesforceError) {
        var chunks = 0
        var previous: String?
        for record in records where record.objectType != previous {
            chunks += 1
            previous = record.objectType
        }
        if chunks > CallLimits.typeChunks {
            throw SalesforceError(
                .bug, code: "LIMIT_EXCEEDED", message: "\(chunks) changes of object type in one call; Salesforce takes \(CallLimits.typeChunks)", operation: operation)
        }
        try checkCount(records.count, CallLimits.recordsPerWrite, operation: operation)
    }

    static func checkCount(_ count: Int, _ maximum: Int, operation: String) throws(SalesforceError) {
        guard count > maximum else { return }
        throw SalesforceError(
            .bug, code: "EXCEEDED_ID_LIMIT", message: "\(count) records in one call; Salesforce takes \(maximum)", operation: operation)
    }

    static func checkBytes(_ body: [UInt8], operation: String) throws(SalesforceError) {
        guard body.count > CallLimits.requestBytes else { return }
        throw SalesforceError(
            .bug, code: "EXCEEDED_MAX_SIZE_REQUEST", message: "a request of \(body.count) bytes; Salesforce takes \(CallLimits.requestBytes)", operation: operation)
    }
}
