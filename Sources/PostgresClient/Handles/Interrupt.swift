internal import HandleQueue
internal import Synchronization

/// Lets another thread ask a session to cancel the statement that runs now.
final class CancelRequest: Sendable {
    private let isMade = Atomic<Bool>(false)
    private let wake: WakePipe

    init(waking wake: WakePipe) {
        self.wake = wake
    }

    var isPending: Bool { isMade.load(ordering: .acquiring) }

    func make() {
        isMade.store(true, ordering: .releasing)
        wake.signal()
    }

    func clear() {
        isMade.store(false, ordering: .releasing)
    }
}

/// What may interrupt one statement while its thread waits for the server.
struct Interrupt {
    let wake: WakePipe
    let request: CancelRequest
    /// False for what must run to its end, COMMIT and ROLLBACK.
    var isHeeded = true
    /// Set once the server has been asked to cancel: until then it may answer.
    var deadline: ContinuousClock.Instant?

    /// How long the server may take to answer a cancellation before the connection counts as lost.
    static let patience = Duration.seconds(10)

    /// The current task runs on the waiting thread, so its own flag can be read there.
    var isDue: Bool { isHeeded && deadline == nil && (Task.isCancelled || request.isPending) }

    mutating func begin() {
        deadline = .now + Self.patience
    }

    /// -1 without limit, as `poll` takes it; 0 when the patience is over.
    var remainingMilliseconds: Int32 {
        guard let deadline else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        return left <= .zero ? 0 : Int32(left / .milliseconds(1)) + 1
    }
}
