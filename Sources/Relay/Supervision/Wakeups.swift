internal import ServiceLifecycle

/// A reason to look, for one waiting lane. Any number of them before the lane looks are one.
struct Wakeups: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func raise() { continuation.yield() }

    /// Returns when somebody raises, when `limit` has passed, when the service is asked to stop or the task is cancelled.
    func wait(upTo limit: Duration) async {
        if Task.isShuttingDownGracefully { return }
        await withTaskCancellationOrGracefulShutdownHandler {
            // Cancelled and awaited at the end of this scope.
            async let _: Void = raise(after: limit)
            var iterator = stream.makeAsyncIterator()
            _ = await iterator.next()
        } onCancelOrGracefulShutdown: {
            raise()
        }
    }

    private func raise(after limit: Duration) async {
        do {
            try await Task.sleep(for: limit)
            raise()
        } catch {
            // Woken first.
        }
    }
}

/// Sleeps, but not longer than until the service is asked to stop or the task is cancelled.
func rest(for duration: Duration) async {
    await Wakeups().wait(upTo: duration)
}

/// True when no new piece of work may begin.
var isStopping: Bool { Task.isCancelled || Task.isShuttingDownGracefully }
