internal import HandleQueue

/// Sends HTTP requests over connections that it keeps and reuses.
///
/// Uses HTTP/2 where TLS offers it, verifies certificates, decodes gzip, follows no redirect. Any number of tasks may use it
/// at once; none of them blocks a thread of Swift's cooperative pool. Cancelling the task ends the transfer.
///
/// A read (GET, HEAD) that meets a kept connection which has died is repeated on a new one. A write never is: it ends with
/// ``HTTPError/requestWasWritten`` true, and the caller decides.
public final class HTTPClient: Sendable {
    /// Nil when the process had no memory or file descriptors left; then every request fails and says so.
    private let loop: TransferLoop?

    public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
        loop = TransferLoop(configuration: configuration)
    }

    /// Sends a request and returns the whole answer, whatever its status.
    ///
    /// - Parameter maximumBodyBytes: the size of the decoded body beyond which the request fails with `bodyTooLarge`.
    public func send(
        _ request: HTTPRequest, maximumBodyBytes: Int = 64 * 1024 * 1024
    ) async throws(HTTPError) -> HTTPResponse {
        guard let loop else { throw .outOfMemory }
        let cancellation = CancellationFlag(waking: loop.executor.wake)
        let result = await withTaskCancellationHandler {
            await loop.send(request, maximumBodyBytes: maximumBodyBytes, cancellation: cancellation)
        } onCancel: {
            cancellation.raise()
        }
        return try result.get()
    }

    /// Sends a request whose body comes from `body`, piece by piece, and returns the whole answer. The request's own body is
    /// not sent.
    ///
    /// An answer may come before the end of the body, when the server has seen enough: then ``HTTPBodyWriter/write(_:)`` throws
    /// and the answer is returned, whatever `body` makes of that error.
    ///
    /// - Throws: what `body` throws, after breaking the request off, so that the server never takes half a body for the whole;
    ///   ``HTTPError`` when there is no answer.
    nonisolated(nonsending) public func upload(
        _ request: HTTPRequest, maximumBodyBytes: Int = 64 * 1024 * 1024, body: (HTTPBodyWriter) async throws -> Void
    ) async throws -> HTTPResponse {
        guard let loop else { throw HTTPError.outOfMemory }
        let cancellation = CancellationFlag(waking: loop.executor.wake)
        let id = try await loop.openUpload(request, maximumBodyBytes: maximumBodyBytes, cancellation: cancellation).get()
        let writer = HTTPBodyWriter(loop: loop, id: id, cancellation: cancellation)
        do {
            try await body(writer)
        } catch {
            guard await loop.isOver(id) else {
                await loop.abandon(id)
                throw error
            }
        }
        let result = await withTaskCancellationHandler {
            await loop.finishUpload(id)
        } onCancel: {
            cancellation.raise()
        }
        return try result.get()
    }

    /// Sends a request and hands status, headers and the body as it comes to `body`.
    ///
    /// When `body` returns or throws before the end of the answer, the rest is not read and the connection is given up.
    ///
    /// - Throws: ``HTTPError`` when there is no answer; what `body` throws.
    nonisolated(nonsending) public func stream<R>(
        _ request: HTTPRequest, body: (HTTPResponseHead, HTTPBodyStream) async throws -> R
    ) async throws -> R {
        guard let loop else { throw HTTPError.outOfMemory }
        let cancellation = CancellationFlag(waking: loop.executor.wake)
        let opened = await withTaskCancellationHandler {
            await loop.open(request, cancellation: cancellation)
        } onCancel: {
            cancellation.raise()
        }
        let (id, head) = try opened.get()
        do {
            let result = try await body(head, HTTPBodyStream(loop: loop, id: id, cancellation: cancellation))
            await loop.abandon(id)
            return result
        } catch {
            await loop.abandon(id)
            throw error
        }
    }
}
