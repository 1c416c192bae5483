import HTTPTransport

extension SalesforceClient {
    /// Whether writes and retrieves go by SOAP with the present token.
    func usesSOAP() async throws(SalesforceError) -> Bool {
        switch configuration.writeAPI {
        case .soap: true
        case .restCollections: false
        case .automatic: !(try await session.current().isJWTFormat)
        }
    }

    struct SOAPAnswer<Result: Sendable>: Sendable {
        var results: [Result]
        var requestID: String?
        var duration: Duration
    }

    /// Calls one operation of the partner API. An answer that is no complete answer to it is unreadable: for a write that is
    /// in doubt.
    func soap<Result: Sendable>(
        _ name: String, headers: [UInt8] = [], body: [UInt8], operation: String, isWrite: Bool,
        each: (_ reader: inout XMLReader, _ isNil: Bool) throws(XMLReader.Malformed) -> Result
    ) async throws(SalesforceError) -> SOAPAnswer<Result> {
        try WritePreflight.checkBytes(body, operation: operation)
        let clock = ContinuousClock()
        let start = clock.now
        let response = try await withSession(operation: operation) { (grant) throws(SalesforceError) in
            let call = Call(
                operation: operation, method: .post, path: "/services/Soap/u/\(self.configuration.apiVersion)",
                body: SOAPEnvelope.encode(
                    operation: name, sessionID: grant.token, client: self.configuration.clientName, headers: headers,
                    body: body),
                contentType: "text/xml; charset=UTF-8", envelope: .soap, isWrite: isWrite)
            return try await self.exchange(self.request(call, grant), call)
        }
        let requestID = response.headers.first("X-SFDC-Request-Id")
        do throws(XMLReader.Malformed) {
            let reply = try SOAPReply(response.body, operation: name, each: each)
            return SOAPAnswer(results: reply.results, requestID: requestID, duration: clock.now - start)
        } catch {
            throw unreadable(operation, status: response.status, requestID: requestID)
        }
    }

    func soapWrite(
        _ operation: WriteOperation, _ records: [WriteRecord], _ options: WriteOptions, _ description: String
    ) async throws(SalesforceError) -> SOAPAnswer<WriteResult> {
        try await soap(
            operation.name, headers: SOAPEnvelope.headers(options, assigns: true),
            body: SOAPEnvelope.body(operation, records), operation: description, isWrite: true
        ) { (reader, _) throws(XMLReader.Malformed) in
            try WriteResult.read(&reader, isCreate: operation == .create)
        }
    }

    /// - Parameter name: delete or undelete, which take and answer the same.
    func soapDelete(
        _ name: String, _ ids: [String], _ options: WriteOptions, _ description: String
    ) async throws(SalesforceError) -> SOAPAnswer<WriteResult> {
        try await soap(
            name, headers: SOAPEnvelope.headers(options, assigns: false), body: SOAPEnvelope.body(deleting: ids),
            operation: description, isWrite: true
        ) { (reader, _) throws(XMLReader.Malformed) in try WriteResult.read(&reader, isCreate: false) }
    }

    func soapRetrieve(
        _ ids: [String], of type: String, fields: [String], _ description: String
    ) async throws(SalesforceError) -> RetrievedRecords {
        var json = JSONWriter()
        json.raw("[")
        let answer = try await soap(
            "retrieve", body: SOAPEnvelope.body(retrieving: ids, of: type, fields: fields), operation: description,
            isWrite: false
        ) { (reader, isNil) throws(XMLReader.Malformed) -> Bool in
            if json.bytes.count > 1 { json.raw(",") }
            if isNil {
                try reader.skipElement()
                json.raw("null")
            } else {
                try SOAPRecord.writeJSON(&reader, into: &json)
            }
            return !isNil
        }
        json.raw("]")
        return RetrievedRecords(
            records: json.bytes, count: answer.results.count, requestID: answer.requestID, duration: answer.duration)
    }
}
