/// The body of a streamed answer, pulled piece by piece, once, by one task at a time.
///
/// Valid inside the closure of ``HTTPClient/stream(_:body:)`` only.
public struct HTTPBodyStream: Sendable {
    let loop: TransferLoop
    let id: TransferLoop.TransferID
    let cancellation: CancellationFlag

    /// The next bytes, never empty, decoded; nil at the end. While the reader asks for nothing, at most
    /// ``HTTPClientConfiguration/streamBufferBytes`` wait and the server is not read from.
    ///
    /// - Throws: an error when the answer is cut short or the task is cancelled, after handing out what had come before.
    public func next() async throws(HTTPError) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await loop.nextPiece(of: id)
        } onCancel: {
            cancellation.raise()
        }
        return try result.get()
    }

    /// The rest of the body in one piece.
    ///
    /// - Throws: `bodyTooLarge` when it is larger than `maximumBytes`; what ``next()`` throws.
    public func collect(maximumBytes: Int) async throws(HTTPError) -> [UInt8] {
        var whole: [UInt8] = []
        while let piece = try await next() {
            guard whole.count + piece.count <= maximumBytes else {
                throw HTTPError(code: .bodyTooLarge, requestWasWritten: true)
            }
            whole += piece
        }
        return whole
    }
}
