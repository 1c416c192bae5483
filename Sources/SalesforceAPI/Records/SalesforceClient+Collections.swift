import HTTPTransport

/// The same writes by REST, for orgs whose tokens SOAP refuses.
extension SalesforceClient {
    private struct CollectionResult: Decodable {
        struct Reason: Decodable {
            var statusCode: String
            var message: String
            var fields: [String]?
        }
        var id: String?
        var success: Bool
        var created: Bool?
        var errors: [Reason]?
    }

    func restWrite(
        _ kind: WriteOperation, _ records: [WriteRecord], _ options: WriteOptions, _ operation: String
    ) async throws(SalesforceError) -> SOAPAnswer<WriteResult> {
        var path = "\(dataPath)/composite/sobjects"
        if case .upsert(let field) = kind {
            guard let type = records.first?.objectType, records.allSatisfy({ $0.objectType == type }) else {
                throw SalesforceError(
                    .bug, message: "an upsert by REST takes records of one type", operation: operation)
            }
            path += "/\(type)/\(field)"
        }
        let body = CollectionsBody.encode(records, kind)
        try WritePreflight.checkBytes(body, operation: operation)
        let call = Call(
            operation: operation, method: kind == .create ? .post : .patch, path: path,
            headers: Self.headers(options, assigns: true), body: body, isWrite: true)
        return try await results(call, isCreate: kind == .create)
    }

    func restDelete(
        _ ids: [String], _ options: WriteOptions, _ operation: String
    ) async throws(SalesforceError) -> SOAPAnswer<WriteResult> {
        let path = "\(dataPath)/composite/sobjects?ids=\(ids.joined(separator: ","))&allOrNone=false"
        let call = Call(operation: operation, method: .delete, path: path, headers: Self.headers(options, assigns: false), isWrite: true)
        return try await results(call, isCreate: false)
    }

    func restRetrieve(
        _ ids: [String], of type: String, fields: [String], _ operation: String
    ) async throws(SalesforceError) -> RetrievedRecords {
        let clock = ContinuousClock()
        let start = clock.now
        let response = try await send(
            Call(
                operation: operation, method: .post,
                path: "\(dataPath)/composite/sobjects/\(PercentEncoding.encode(type))",
                body: CollectionsBody.encode(ids: ids, fields: fields)))
        let requestID = response.headers.first("X-SFDC-Request-Id")
        var bytes = response.body
        do throws(JSONScanner.Malformed) {
            JSONText.keepOnly(0..<bytes.count, of: &bytes)
            let count = try JSONText.elementCount(bytes)
            return RetrievedRecords(records: bytes, count: count, requestID: requestID, duration: clock.now - start)
        } catch {
            throw unreadable(operation, status: response.status, requestID: requestID)
        }
    }

    private func results(_ call: Call, isCreate: Bool) async throws(SalesforceError) -> SOAPAnswer<WriteResult> {
        let clock = ContinuousClock()
        let start = clock.now
        let response = try await send(call)
        let results = try decode([CollectionResult].self, response, call.operation).map { entry in
            WriteResult(
                id: entry.id.map { SalesforceID.normalized($0) ?? $0 }, success: entry.success,
                created: entry.success && (entry.created ?? isCreate),
                errors: (entry.errors ?? []).map {
                    RecordError(statusCode: $0.statusCode, message: $0.message, fields: $0.fields ?? [])
                })
        }
        return SOAPAnswer(
            results: results, requestID: response.headers.first("X-SFDC-Request-Id"), duration: clock.now - start)
    }

    /// - Parameter assigns: whether the call can run assignment rules: REST runs the active one unless it is told not to.
    private static func headers(_ options: WriteOptions, assigns: Bool) -> [HTTPHeader] {
        var headers: [HTTPHeader] = []
        if assigns {
            let rule =
                switch options.assignmentRule {
                case .useDefault: "TRUE"
                case .rule(let id): id
                case nil: "FALSE"
                }
            headers.append(HTTPHeader("Sforce-Auto-Assign", rule))
        }
        if options.allowsDuplicates {
            headers.append(
                HTTPHeader("Sforce-Duplicate-Rule-Header", "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"))
        }
        return headers
    }
}
