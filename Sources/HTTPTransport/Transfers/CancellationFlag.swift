internal import HandleQueue
internal import Synchronization

/// Carries a task's cancellation to the loop that drives its transfer.
final class CancellationFlag: Sendable {
    private let isRaised = Atomic<Bool>(false)
    private let wake: WakePipe

    init(waking wake: WakePipe) {
        self.wake = wake
    }

    var isSet: Bool { isRaised.load(ordering: .acquiring) }

    func raise() {
        isRaised.store(true, ordering: .releasing)
        wake.signal()
    }
}
