/// What comes to pass beside the loop of the write lane, in order, for that loop alone.
struct LaneEvents: Sendable {
    enum Event: Sendable {
        case claimed(Result<[CallRequest], any Error>)
        /// A call ended, with its answers stored.
        case ended(CallRequest, begun: ContinuousClock.Instant, Result<[BatchAnswer], any Error>)
        case applied(Result<Bool, any Error>)
        case markedBusy(Result<Void, any Error>)
        /// Time has passed.
        case tick
    }

    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func report(_ event: Event) { continuation.yield(event) }

    /// The next event, or a tick when `limit` has passed. A graceful stop is no event: what is under way ends first.
    /// - Throws: `CancellationError`.
    func next(upTo limit: Duration) async throws -> Event {
        async let _: Void = tick(after: limit)
        var iterator = stream.makeAsyncIterator()
        guard let event = await iterator.next() else { throw CancellationError() }
        return event
    }

    private func tick(after limit: Duration) async {
        do {
            try await Task.sleep(for: limit)
            report(.tick)
        } catch {
            // Something came first.
        }
    }

    /// Everything that has come to pass until now, without waiting.
    func pending() async throws -> [Event] {
        report(.tick)
        var events: [Event] = []
        var iterator = stream.makeAsyncIterator()
        while true {
            guard let event = await iterator.next() else { throw CancellationError() }
            if case .tick = event { return events }
            events.append(event)
        }
    }
}
