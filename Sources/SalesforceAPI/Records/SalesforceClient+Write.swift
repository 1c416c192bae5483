extension SalesforceClient {
    /// Creates up to 200 records in one call, each for itself. Not to be repeated when in doubt.
    public func create(_ records: [WriteRecord], options: WriteOptions = WriteOptions()) async throws(SalesforceError) -> WriteReply {
        try await write(.create, records, options)
    }

    /// Updates up to 200 records by their ids.
    public func update(_ records: [WriteRecord], options: WriteOptions = WriteOptions()) async throws(SalesforceError) -> WriteReply {
        try await write(.update, records, options)
    }

    /// Updates the records that hold the value of `externalIDField` which each record carries among its fields, and creates the
    /// others. At most 200; by REST collections all of one type.
    public func upsert(
        _ records: [WriteRecord], externalIDField: String, options: WriteOptions = WriteOptions()
    ) async throws(SalesforceError) -> WriteReply {
        guard XMLWriter.isName(externalIDField) else {
            throw SalesforceError(
                .configuration, code: "INVALID_FIELD", message: "\(externalIDField) is no name of a field", operation: "upsert")
        }
        return try await write(.upsert(externalIDField: externalIDField), records, options)
    }

    /// Moves up to 200 records to the recycle bin; types may be mixed. A record deleted before fails with `ENTITY_IS_DELETED`,
    /// which for a delete is as good as success.
    public func delete(ids: [String], options: WriteOptions = WriteOptions()) async throws(SalesforceError) -> WriteReply {
        let operation = WriteOperation.describe("delete", ids.count, [])
        try WritePreflight.checkCount(ids.count, CallLimits.recordsPerWrite, operation: operation)
        let refusals = ids.map(WritePreflight.refusal(id:))
        let sent = zip(ids, refusals).filter { $0.1 == nil }.map(\.0)
        guard !sent.isEmpty else { return Self.merge(nil, refusals) }
        let answer =
            try await usesSOAP()
            ? try await soapDelete("delete", sent, options, operation) : try await restDelete(sent, options, operation)
        return try checked(answer, sent.count, refusals, operation)
    }

    /// Takes up to 200 records out of the recycle bin, and with them what was deleted with them; types may be mixed. By SOAP only.
    public func undelete(ids: [String], options: WriteOptions = WriteOptions()) async throws(SalesforceError) -> WriteReply {
        let operation = WriteOperation.describe("undelete", ids.count, [])
        guard try await usesSOAP() else {
            throw SalesforceError(
                .configuration, code: "UNDELETE_NEEDS_SOAP",
                message: "records are undeleted by SOAP, which takes no token of this org: take them out of the recycle bin by hand", operation: operation)
        }
        try WritePreflight.checkCount(ids.count, CallLimits.recordsPerWrite, operation: operation)
        let refusals = ids.map(WritePreflight.refusal(id:))
        let sent = zip(ids, refusals).filter { $0.1 == nil }.map(\.0)
        guard !sent.isEmpty else { return Self.merge(nil, refusals) }
        return try checked(try await soapDelete("undelete", sent, options, operation), sent.count, refusals, operation)
    }

    /// Reads up to 2,000 records of one type by their ids; see ``RetrievedRecords`` for the shape. A field that does not exist
    /// or cannot be read fails the call as ``Disposition/configuration``.
    public func retrieve(_ objectType: String, fields: [String], ids: [String]) async throws(SalesforceError) -> RetrievedRecords {
        let operation = WriteOperation.describe("retrieve", ids.count, [objectType])
        try WritePreflight.checkCount(ids.count, CallLimits.idsPerRetrieve, operation: operation)
        if let error = ids.lazy.compactMap(WritePreflight.refusal(id:)).first {
            throw SalesforceError(.bug, code: error.statusCode, message: error.message, operation: operation)
        }
        guard !ids.isEmpty else {
            return RetrievedRecords(records: Array("[]".utf8), count: 0, requestID: nil, duration: .zero)
        }
        let answer =
            try await usesSOAP()
            ? try await soapRetrieve(ids, of: objectType, fields: fields, operation)
            : try await restRetrieve(ids, of: objectType, fields: fields, operation)
        guard answer.count == ids.count else { throw unreadable(operation, status: 200, requestID: answer.requestID) }
        return answer
    }

    /// Whether records of several types may travel in one write: always by SOAP; by REST collections not in an upsert.
    public func mixesTypes(inUpsert isUpsert: Bool) async throws(SalesforceError) -> Bool {
        if !isUpsert { return true }
        return try await usesSOAP()
    }

    private func write(
        _ kind: WriteOperation, _ records: [WriteRecord], _ options: WriteOptions
    ) async throws(SalesforceError) -> WriteReply {
        let operation = kind.describe(records)
        let refusals = records.map { WritePreflight.refusal($0, kind) }
        let sent = zip(records, refusals).filter { $0.1 == nil }.map(\.0)
        guard !sent.isEmpty else { return Self.merge(nil, refusals) }
        try WritePreflight.checkSize(sent, operation: operation)
        let answer =
            try await usesSOAP()
            ? try await soapWrite(kind, sent, options, operation) : try await restWrite(kind, sent, options, operation)
        return try checked(answer, sent.count, refusals, operation)
    }

    /// Reply order is the only correlation there is, so a reply of another length tells nothing.
    private func checked(
        _ answer: SOAPAnswer<WriteResult>, _ count: Int, _ refusals: [RecordError?], _ operation: String
    ) throws(SalesforceError) -> WriteReply {
        guard answer.results.count == count else { throw unreadable(operation, status: 200, requestID: answer.requestID) }
        return Self.merge(answer, refusals)
    }

    /// Puts the results back in the places of the records that were sent.
    private static func merge(_ answer: SOAPAnswer<WriteResult>?, _ refusals: [RecordError?]) -> WriteReply {
        var results = (answer?.results ?? [])[...]
        return WriteReply(
            results: refusals.map { refusal in
                if let refusal { return .refused(refusal) }
                return results.popFirst() ?? WriteResult(id: nil, success: false, created: false, errors: [], wasSent: false)
            },
            requestID: answer?.requestID, duration: answer?.duration ?? .zero)
    }
}
