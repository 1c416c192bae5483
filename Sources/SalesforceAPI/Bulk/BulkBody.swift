import HTTPTransport
import Logging
import Synchronization

/// The bytes of one page of a Bulk result, pulled as they are wanted. Valid inside the closure it was given to.
public struct BulkBody: Sendable {
    let stream: HTTPBodyStream
    let operation: String

    /// The next bytes, or nil at the end. A page cut short throws.
    public func next() async throws(SalesforceError) -> [UInt8]? {
        do {
            return try await stream.next()
        } catch {
            throw TransportFailure.error(error, operation: operation, isWrite: false)
        }
    }
}

extension SalesforceClient {
    /// Streams the answer to `call`, after renewing the session at most once. What `body` throws passes through, a
    /// ``SalesforceError`` of the answer likewise.
    func stream<Result>(
        _ call: Call, _ body: (BulkResultHead, BulkBody) async throws -> Result
    ) async throws -> Result {
        let grant = try await session.current()
        do {
            return try await streamOnce(call, grant, body)
        } catch let refusal as SessionRefusal {
            logger.debug("session refused", metadata: ["sf.operation": "\(call.operation)"])
            _ = refusal
        }
        do {
            return try await streamOnce(call, try await session.renewed(after: grant), body)
        } catch let refusal as SessionRefusal {
            throw refusal.error
        }
    }

    /// Told apart from an error that `body` throws, which must not lead to a second run of `body`.
    private struct SessionRefusal: Error { var error: SalesforceError }

    private func streamOnce<Result>(
        _ call: Call, _ grant: AccessGrant, _ body: (BulkResultHead, BulkBody) async throws -> Result
    ) async throws -> Result {
        var request = request(call, grant)
        request.timeouts = HTTPTimeouts(connect: configuration.connectTimeout, total: nil, stall: configuration.stallTimeout)
        let ticket = try await governor?.admit(call.operation)
        let isAnswered = Mutex(false)   // from then on the governor knows all of this call
        do {
            return try await http.stream(request) { head, stream in
                isAnswered.withLock { $0 = true }
                finish(ticket, GovernedCall(wasMade: true, usage: head.headers.first("Sforce-Limit-Info").flatMap(APIUsage.init(header:))))
                try await refuse(call, head, stream)
                return try await body(BulkResultHead(head), BulkBody(stream: stream, operation: call.operation))
            }
        } catch {
            if !isAnswered.withLock({ $0 }) { finish(ticket, GovernedCall(wasMade: true)) }
            guard let error = error as? HTTPError else { throw error }
            throw TransportFailure.error(error, operation: call.operation, isWrite: false)
        }
    }

    private func refuse(_ call: Call, _ head: HTTPResponseHead, _ stream: HTTPBodyStream) async throws {
        let isPage = (200..<300).contains(head.status) && head.headers.first("Content-Type")?.contains("html") != true
        if isPage {
            // Asked for too early, Salesforce may answer with nothing (API reference 4.3).
            guard head.status == 204 else { return }
            throw SalesforceError(
                .nothingRan(retryAfter: .seconds(5)), message: "the results are not ready", status: 204, operation: call.operation)
        }
        let text = try await stream.collect(maximumBytes: 1 << 20)
        let error =
            ResponseClassifier.error(head: head, body: text, envelope: call.envelope, operation: call.operation)
            ?? unreadable(call.operation, status: head.status)
        if error.disposition == .needsSession { throw SessionRefusal(error: error) }
        throw error
    }
}

extension BulkResultHead {
    init(_ head: HTTPResponseHead) {
        let locator = head.headers.first("Sforce-Locator")
        nextLocator = locator == "null" || locator?.isEmpty == true ? nil : locator
        numberOfRecords = head.headers.first("Sforce-NumberOfRecords").flatMap { Int($0) }
        bodyLength =
            head.headers.first("Content-Encoding") == nil ? head.headers.first("Content-Length").flatMap { Int($0) } : nil
    }
}
