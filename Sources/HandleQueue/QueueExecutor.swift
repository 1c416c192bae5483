public import Dispatch
internal import Synchronization

/// A serial executor on a queue of its own, for an actor that makes blocking calls on a C handle.
///
/// The thread of the queue may block for minutes; Swift's cooperative threads never do. A blocked actor that polls
/// ``wake`` beside its sockets notices when another job waits for it.
public final class QueueExecutor: SerialExecutor {
    public let queue: DispatchQueue
    public let wake: WakePipe
    private let waitingJobs = Atomic<Int>(0)

    /// - Returns: nil when the process has no descriptors left.
    public init?(label: String) {
        guard let wake = WakePipe() else { return nil }
        self.queue = DispatchQueue(label: label)
        self.wake = wake
    }

    /// True while a job waits behind the one that runs now. Read it after draining ``wake``: what comes later signals again.
    public var hasWaitingJobs: Bool { waitingJobs.load(ordering: .sequentiallyConsistent) > 0 }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        waitingJobs.add(1, ordering: .sequentiallyConsistent)
        wake.signal()
        // Last, because nothing holds the executor for this call: the job may run at once, end the last owner, and free it.
        queue.async {
            self.waitingJobs.subtract(1, ordering: .sequentiallyConsistent)
            job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    /// Lets plain blocks on ``queue`` enter the actor with `assumeIsolated`.
    public func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
