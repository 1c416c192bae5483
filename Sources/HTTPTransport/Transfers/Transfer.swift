internal import CLibCurl

/// One request on its way: what curl's callbacks see. Belongs to ``TransferLoop``, which alone calls curl.
final class Transfer {
    /// What becomes of the bytes of the answer.
    enum Sink {
        /// Kept until the end; more than `limit` is an error.
        case whole(limit: Int)
        /// Handed out piece by piece; paused while `limit` bytes wait.
        case pieces(limit: Int)
    }

    /// What the one task that waits for this transfer wants to see.
    enum Awaited {
        case head, piece, end
        /// Room for more of a streamed request.
        case room
    }

    enum Outcome {
        case complete
        case failed(HTTPError)
    }

    let request: HTTPRequest
    let sink: Sink
    let cancellation: CancellationFlag
    var easy: EasyHandle

    let requestBody: [UInt8]
    var requestBodySent = 0
    /// Of a request whose body is streamed: what waits to be written.
    var upload: Upload?

    var status = 0
    var headerFields: [HTTPHeader] = []
    var head: HTTPResponseHead?
    var received: [UInt8] = []
    var isPaused = false
    var exceededLimit = false

    /// How often curl was about to write the request on a connection.
    var attempts = 0
    /// When a byte last moved; nil until there is a connection.
    var lastMove: ContinuousClock.Instant?
    var outcome: Outcome?
    private var waiter: (awaited: Awaited, continuation: CheckedContinuation<Bool, Never>)?

    init(
        _ request: HTTPRequest, sink: Sink, isUpload: Bool = false, cancellation: CancellationFlag,
        configuration: HTTPClientConfiguration, cookies: UnsafeMutableRawPointer?
    ) throws(HTTPError) {
        try request.checkWireSafety()
        let body = try request.encodedBody()
        guard var easy = EasyHandle() else { throw .outOfMemory }
        try easy.prepare(request, body: isUpload ? .streamed : .bytes(body.bytes.count, compressed: body.compressed), for: configuration)
        if isUpload { upload = Upload(limit: configuration.streamBufferBytes) }
        if let cookies { try easy.keepCookies(in: cookies) }
        self.easy = easy
        self.requestBody = body.bytes
        self.request = request
        self.sink = sink
        self.cancellation = cancellation
        try setCallbacks()
    }

    /// An attempt means that bytes may have left; before the first there was no connection to write them to.
    var requestWasWritten: Bool { attempts > 0 }

    /// When the transfer has stalled, unless a byte moves before.
    var stallDeadline: ContinuousClock.Instant? {
        guard let lastMove, let stall = request.timeouts.stall, !isPaused, upload?.isStarved != true, outcome == nil else { return nil }
        return lastMove + stall
    }

    func failure(_ code: HTTPError.Code) -> HTTPError {
        HTTPError(code: code, requestWasWritten: requestWasWritten, server: request.server)
    }

    /// Records how curl ended the transfer.
    func end(_ code: CURLcode) {
        if code == CURLE_OK {
            outcome = head == nil ? .failed(failure(.badResponse)) : .complete
        } else if exceededLimit {
            outcome = .failed(failure(.bodyTooLarge))
        } else {
            outcome = .failed(
                HTTPError(ending: code, requestWasWritten: requestWasWritten, text: easy.lastErrorText, server: request.server))
        }
    }

    /// Takes what has come, and lets curl go on if it was paused for it.
    func takePiece() -> [UInt8] {
        let piece = received
        received = []
        if isPaused {
            isPaused = false
            lastMove = .now
            if outcome == nil { easy.resume() }
        }
        return piece
    }

    /// Takes more of a streamed request, or its end, and lets curl go on if it was paused for it.
    func offer(_ bytes: [UInt8]?) {
        guard var pending = upload, outcome == nil else { return }
        if let bytes { pending.append(bytes) } else { pending.isComplete = true }
        let wasStarved = pending.isStarved
        pending.isStarved = false
        upload = pending
        if wasStarved {
            lastMove = .now
            easy.resume()
        }
    }

    // MARK: - Waiting

    func isReady(for awaited: Awaited) -> Bool {
        if outcome != nil { return true }
        return switch awaited {
        case .head: head != nil
        case .piece: !received.isEmpty
        case .end: false
        case .room: upload?.hasRoom ?? true
        }
    }

    /// - Returns: false when another task waits already.
    func setWaiter(_ awaited: Awaited, _ continuation: CheckedContinuation<Bool, Never>) -> Bool {
        guard waiter == nil else { return false }
        waiter = (awaited, continuation)
        return true
    }

    func resumeWaiterIfReady() {
        guard let (awaited, continuation) = waiter, isReady(for: awaited) else { return }
        waiter = nil
        continuation.resume(returning: true)
    }
}
