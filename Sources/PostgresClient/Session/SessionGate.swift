internal import Synchronization

/// Lets one task at a time use a session, in the order in which they asked. A transaction or COPY holds it across awaits.
final class SessionGate: Sendable {
    private struct State {
        var isHeld = false
        var lastTicket = 0
        var waiters: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Mutex(State())

    /// Waits for its turn even when the task is cancelled: for what must be undone in any case.
    func enterAlways() async {
        _ = await withCheckedContinuation { continuation in wait(0, continuation, heedingCancellation: false) }
    }

    /// - Throws: `cancelled` when the task is cancelled before its turn.
    func enter() async throws(PostgresError) {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        let entered = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in wait(ticket, continuation, heedingCancellation: true) }
        } onCancel: {
            // Before the wait began there is nobody to wake: the wait itself looks at the cancellation.
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.ticket == ticket }.map { state.waiters.remove(at: $0).continuation }
            }
            waiter?.resume(returning: false)
        }
        guard entered else { throw PostgresError(code: .cancelled) }
    }

    private func wait(_ ticket: Int, _ continuation: CheckedContinuation<Bool, Never>, heedingCancellation: Bool) {
        let answer: Bool? = state.withLock { state in
            if heedingCancellation && Task.isCancelled { return false }
            if !state.isHeld {
                state.isHeld = true
                return true
            }
            state.waiters.append((ticket, continuation))
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }

    func leave() {
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.isHeld = false
                return nil
            }
            return state.waiters.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
