/// Takes the body of a streamed request, piece by piece, from one task at a time.
///
/// Valid inside the closure of ``HTTPClient/upload(_:maximumBodyBytes:body:)`` only.
public struct HTTPBodyWriter: Sendable {
    let loop: TransferLoop
    let id: TransferLoop.TransferID
    let cancellation: CancellationFlag

    /// Takes `bytes`, and returns when the network has taken enough of what came before: at most
    /// ``HTTPClientConfiguration/streamBufferBytes`` and one piece wait.
    ///
    /// - Throws: an error when the exchange is over: broken, cancelled, or answered early.
    public func write(_ bytes: [UInt8]) async throws(HTTPError) {
        guard !bytes.isEmpty else { return }
        let result = await withTaskCancellationHandler {
            await loop.write(bytes, to: id)
        } onCancel: {
            cancellation.raise()
        }
        guard try result.get() else {
            throw HTTPError(code: .cancelled, requestWasWritten: true, detail: "the exchange ended before the whole body was sent")
        }
    }
}
