internal import CLibCurl
internal import Dispatch
internal import HandleQueue

/// Owns the curl handles of one client and drives them on a queue of its own.
///
/// While there are transfers, the queue alternates between moving bytes and waiting in `poll`; jobs of the actor interrupt
/// the wait. Without transfers nothing runs.
actor TransferLoop {
    /// Names a transfer to those outside the actor.
    struct TransferID: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    nonisolated let executor: QueueExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let configuration: HTTPClientConfiguration
    private let multi: MultiHandle
    private var transfers: [TransferID: Transfer] = [:]
    private var lastNumber: UInt64 = 0
    private var isDriving = false

    /// - Returns: nil when out of memory or file descriptors.
    init?(configuration: HTTPClientConfiguration) {
        guard let executor = QueueExecutor(label: "http.transfers"),
            let multi = MultiHandle(
                maximumConnectionsPerHost: configuration.maximumConnectionsPerHost, cookies: configuration.cookies)
        else { return nil }
        self.executor = executor
        self.multi = multi
        self.configuration = configuration
    }

    // MARK: - What callers ask for

    /// Sends and waits for the whole answer.
    func send(
        _ request: HTTPRequest, maximumBodyBytes: Int, cancellation: CancellationFlag
    ) async -> Result<HTTPResponse, HTTPError> {
        do throws(HTTPError) {
            return await wholeAnswer(of: try start(request, sink: .whole(limit: maximumBodyBytes), cancellation: cancellation))
        } catch {
            return .failure(error)
        }
    }

    /// Sends and waits for status and headers; the caller must end with ``abandon(_:)``.
    func open(
        _ request: HTTPRequest, cancellation: CancellationFlag
    ) async -> Result<(TransferID, HTTPResponseHead), HTTPError> {
        do throws(HTTPError) {
            let sink = Transfer.Sink.pieces(limit: configuration.streamBufferBytes)
            let id = try start(request, sink: sink, cancellation: cancellation)
            let transfer = try await wait(for: .head, of: id)
            guard let head = transfer.head else {
                transfers[id] = nil
                if case .failed(let error) = transfer.outcome { throw error }
                throw transfer.failure(.badResponse)
            }
            return .success((id, head))
        } catch {
            return .failure(error)
        }
    }

    /// Begins a request whose body follows; the caller must end with ``finishUpload(_:)`` or ``abandon(_:)``.
    func openUpload(
        _ request: HTTPRequest, maximumBodyBytes: Int, cancellation: CancellationFlag
    ) async -> Result<TransferID, HTTPError> {
        do throws(HTTPError) {
            return .success(try start(request, sink: .whole(limit: maximumBodyBytes), isUpload: true, cancellation: cancellation))
        } catch {
            return .failure(error)
        }
    }

    /// Takes more of the body, and returns when there is room for the next piece.
    /// - Returns: false when the exchange is over, and nothing more is wanted.
    func write(_ bytes: [UInt8], to id: TransferID) async -> Result<Bool, HTTPError> {
        do throws(HTTPError) {
            transfers[id]?.offer(bytes)
            return .success(try await wait(for: .room, of: id).outcome == nil)
        } catch {
            return .failure(error)
        }
    }

    /// Ends the body and waits for the whole answer.
    func finishUpload(_ id: TransferID) async -> Result<HTTPResponse, HTTPError> {
        transfers[id]?.offer(nil)
        return await wholeAnswer(of: id)
    }

    private func wholeAnswer(of id: TransferID) async -> Result<HTTPResponse, HTTPError> {
        do throws(HTTPError) {
            let transfer = try await wait(for: .end, of: id)
            transfers[id] = nil
            if case .failed(let error) = transfer.outcome { throw error }
            guard let head = transfer.head else { throw transfer.failure(.badResponse) }
            return .success(HTTPResponse(status: head.status, headers: head.headers, body: transfer.received))
        } catch {
            return .failure(error)
        }
    }

    /// The next bytes of the answer; nil at its end. Bytes that came before a failure are handed out before it.
    func nextPiece(of id: TransferID) async -> Result<[UInt8]?, HTTPError> {
        do throws(HTTPError) {
            let transfer = try await wait(for: .piece, of: id)
            if !transfer.received.isEmpty { return .success(transfer.takePiece()) }
            if case .failed(let error) = transfer.outcome { throw error }
            return .success(nil)
        } catch {
            return .failure(error)
        }
    }

    /// Whether nothing more will happen to a transfer.
    func isOver(_ id: TransferID) -> Bool { transfers[id]?.outcome != nil }

    /// Forgets a transfer, and ends it if it is still under way.
    func abandon(_ id: TransferID) {
        guard let transfer = transfers.removeValue(forKey: id) else { return }
        if transfer.outcome == nil { end(transfer, with: .failed(transfer.failure(.cancelled))) }
    }

    // MARK: - Start and wait

    private func start(
        _ request: HTTPRequest, sink: Transfer.Sink, isUpload: Bool = false, cancellation: CancellationFlag
    ) throws(HTTPError) -> TransferID {
        let transfer = try Transfer(
            request, sink: sink, isUpload: isUpload, cancellation: cancellation, configuration: configuration, cookies: multi.cookies)
        if cancellation.isSet { throw transfer.failure(.cancelled) }
        guard multi.add(transfer.easy) else { throw .outOfMemory }
        lastNumber += 1
        let id = TransferID(number: lastNumber)
        transfers[id] = transfer
        if !isDriving {
            isDriving = true
            scheduleTurn()
        }
        return id
    }

    private func wait(for awaited: Transfer.Awaited, of id: TransferID) async throws(HTTPError) -> Transfer {
        guard let transfer = transfers[id] else {
            throw HTTPError(code: .cancelled, requestWasWritten: true, detail: "the stream was read after its end")
        }
        if !transfer.isReady(for: awaited) {
            let waited = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                if !transfer.setWaiter(awaited, continuation) { continuation.resume(returning: false) }
            }
            guard waited else {
                throw HTTPError(code: .other, requestWasWritten: true, detail: "two tasks read one stream")
            }
        }
        return transfer
    }

    // MARK: - The loop

    private func scheduleTurn() {
        executor.queue.async { self.assumeIsolated { $0.turn() } }
    }

    private func turn() {
        executor.wake.drain()
        for transfer in transfers.values where transfer.outcome == nil && transfer.cancellation.isSet {
            end(transfer, with: .failed(transfer.failure(.cancelled)))
        }
        multi.perform()
        while let (easy, code) = multi.nextFinished() {
            guard let transfer = transfers.values.first(where: { $0.easy.raw == easy }) else { continue }
            transfer.end(code)
            multi.remove(transfer.easy)
        }
        let now = ContinuousClock.now
        for transfer in transfers.values {
            if let deadline = transfer.stallDeadline, deadline <= now { end(transfer, with: .failed(transfer.failure(.stalled))) }
        }
        for transfer in transfers.values { transfer.resumeWaiterIfReady() }

        guard transfers.values.contains(where: { $0.outcome == nil }) else {
            isDriving = false
            return
        }
        multi.poll(alsoWatching: executor.wake.descriptor, milliseconds: waitingTime(from: now))
        scheduleTurn()
    }

    private func end(_ transfer: Transfer, with outcome: Transfer.Outcome) {
        transfer.outcome = outcome
        multi.remove(transfer.easy)
        transfer.resumeWaiterIfReady()
    }

    /// curl shortens the wait for its own timers; ours are the stall deadlines.
    private func waitingTime(from now: ContinuousClock.Instant) -> Int32 {
        if executor.hasWaitingJobs { return 0 }
        let longest = Duration.seconds(60)
        let nearest = transfers.values.compactMap(\.stallDeadline).map { now.duration(to: $0) }.min() ?? longest
        return Int32(max(.zero, min(nearest, longest)).wholeMilliseconds + 1)
    }
}
