import HTTPTransport
import Logging

extension SalesforceClient {
    /// One request before a session is put to it.
    struct Call: Sendable {
        var operation: String
        var method: HTTPMethod = .get
        /// Begins with `/`; the instance goes before it at the moment of sending.
        var path: String
        var headers: [HTTPHeader] = []
        var body: [UInt8] = []
        var contentType = "application/json; charset=UTF-8"
        var envelope = RequestErrorTable.Envelope.rest
        /// Whether the call can change records.
        var isWrite = false
        /// Whether a token is sent at all.
        var isAuthorized = true
    }

    /// Sends `call`, renews the session at most once, and gives the successful answer.
    func send(_ call: Call) async throws(SalesforceError) -> HTTPResponse {
        try await withSession(operation: call.operation) { (grant) throws(SalesforceError) in
            try await self.exchange(self.request(call, grant), call)
        }
    }

    /// Runs `attempt` with the session's grant, and once more with a new one if Salesforce refused the first.
    func withSession<Answer: Sendable>(
        operation: String, _ attempt: (AccessGrant) async throws(SalesforceError) -> Answer
    ) async throws(SalesforceError) -> Answer {
        let grant = try await session.current()
        do throws(SalesforceError) {
            return try await attempt(grant)
        } catch {
            guard error.disposition == .needsSession else { throw error }
            logger.debug("session refused", metadata: ["sf.operation": "\(operation)"])
        }
        return try await attempt(try await session.renewed(after: grant))
    }

    /// One exchange without renewal. An answer that is no success is thrown as what it means.
    func exchange(_ request: HTTPRequest, _ call: Call) async throws(SalesforceError) -> HTTPResponse {
        let response = try await governed(call.operation) { (made) throws(SalesforceError) in
            // Last, because the mark is good for seconds.
            if call.isWrite, let guardian = WriteGuards.current { try await guardian.beforeSending() }
            made.wasMade = true
            let response: HTTPResponse
            do throws(HTTPError) {
                response = try await self.http.send(request, maximumBodyBytes: self.configuration.maximumBodyBytes)
            } catch {
                throw TransportFailure.error(error, operation: call.operation, isWrite: call.isWrite)
            }
            made.usage = response.headers.first("Sforce-Limit-Info").flatMap(APIUsage.init(header:))
                ?? (call.envelope == .soap ? SOAPUsage.read(response.body) : nil)
            return response
        }
        if let error = ResponseClassifier.error(response, envelope: call.envelope, operation: call.operation) { throw error }
        return response
    }

    /// `call` as it goes out with `grant`.
    func request(_ call: Call, _ grant: AccessGrant) -> HTTPRequest {
        var headers = [HTTPHeader("Sforce-Call-Options", "client=\(configuration.clientName)")]
        switch call.envelope {
        case .rest:
            if call.isAuthorized { headers.append(HTTPHeader("Authorization", "Bearer \(grant.token.reveal())")) }
            if !call.headers.contains(where: { $0.name == "Accept" }) { headers.append(HTTPHeader("Accept", "application/json")) }
        case .bulk1: headers.append(HTTPHeader("X-SFDC-Session", grant.token.reveal()))
        case .soap: headers = [HTTPHeader("SOAPAction", "\"\""), HTTPHeader("Accept", "text/xml")]
        }
        if !call.body.isEmpty { headers.append(HTTPHeader("Content-Type", call.contentType)) }
        headers.append(contentsOf: call.headers)
        return HTTPRequest(
            method: call.method, url: grant.instanceURL + call.path, headers: headers,
            body: call.body.isEmpty ? .none : .bytes(call.body),
            compressBody: call.body.count > configuration.compressionThreshold,
            timeouts: HTTPTimeouts(
                connect: configuration.connectTimeout,
                total: call.isWrite ? configuration.writeTimeout : configuration.readTimeout))
    }

    /// An answer that arrived whole and cannot be read. For a write nothing is known; a read is asked again.
    func unreadable(_ operation: String, status: Int?, requestID: String? = nil) -> SalesforceError {
        SalesforceError(
            .inDoubt, code: "unreadable_answer", message: "the answer cannot be read", status: status, requestID: requestID,
            operation: operation)
    }
}
