import HTTPTransport
import Logging

/// Takes the CSV of an upload, piece by piece. Valid inside the closure it was given to.
public struct BulkUpload: Sendable {
    let writer: HTTPBodyWriter

    /// Takes `bytes`, and returns when the network has taken enough of what came before. An error means that Salesforce wants
    /// no more; its answer, which the upload then throws, says why.
    public func write(_ bytes: [UInt8]) async throws { try await writer.write(bytes) }
}

extension SalesforceClient {
    /// Streams the body of `call` from `body`, after renewing the session at most once: then `body` runs a second time, from
    /// the beginning. What `body` throws passes through, and Salesforce takes nothing of what was sent.
    func upload(_ call: Call, _ body: (BulkUpload) async throws -> Void) async throws -> HTTPResponse {
        let grant = try await session.current()
        do {
            return try await uploadOnce(call, grant, body)
        } catch let error as SalesforceError where error.disposition == .needsSession {
            logger.debug("session refused", metadata: ["sf.operation": "\(call.operation)"])
        }
        return try await uploadOnce(call, try await session.renewed(after: grant), body)
    }

    private func uploadOnce(
        _ call: Call, _ grant: AccessGrant, _ body: (BulkUpload) async throws -> Void
    ) async throws -> HTTPResponse {
        let ticket = try await governor?.admit(call.operation)
        var made = GovernedCall()
        defer { finish(ticket, made) }
        if let guardian = WriteGuards.current { try await guardian.beforeSending() }
        made.wasMade = true
        var request = request(call, grant)
        request.timeouts = HTTPTimeouts(connect: configuration.connectTimeout, total: nil, stall: configuration.stallTimeout)
        request.headers.append(HTTPHeader("Content-Type", call.contentType))
        let response: HTTPResponse
        do {
            response = try await http.upload(request, maximumBodyBytes: configuration.maximumBodyBytes) { writer in
                try await body(BulkUpload(writer: writer))
            }
        } catch let error as HTTPError {
            throw TransportFailure.error(error, operation: call.operation, isWrite: true)
        }
        made.usage = response.headers.first("Sforce-Limit-Info").flatMap(APIUsage.init(header:))
        if let error = ResponseClassifier.error(response, envelope: call.envelope, operation: call.operation) { throw error }
        return response
    }
}
