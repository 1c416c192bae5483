internal import Synchronization

/// Waits for work that cannot be interrupted, without making a cancelled task wait for it.
enum FirstAnswer {
    /// Returns what `work` returns, or throws `cancelled` as soon as the task is cancelled. The work then runs to its end
    /// unheard, so it must have a limit of its own.
    static func of(_ work: @escaping @Sendable () async -> Result<Void, PostgresError>) async throws(PostgresError) {
        let answer = Once()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                answer.wait(continuation)
                Task { answer.give(await work()) }
            }
        } onCancel: {
            answer.give(.failure(PostgresError(code: .cancelled)))
        }
        try result.get()
    }

    /// Passes on the first of several answers.
    private final class Once: Sendable {
        private typealias Answer = Result<Void, PostgresError>
        private enum State {
            case empty
            case waiting(CheckedContinuation<Answer, Never>)
            case answered(Answer)
            case done
        }

        private let state = Mutex(State.empty)

        func wait(_ continuation: CheckedContinuation<Result<Void, PostgresError>, Never>) {
            let ready: Answer? = state.withLock { state in
                if case .answered(let answer) = state {
                    state = .done
                    return answer
                }
                state = .waiting(continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }

        func give(_ answer: Result<Void, PostgresError>) {
            let waiter: CheckedContinuation<Answer, Never>? = state.withLock { state in
                switch state {
                case .empty:
                    state = .answered(answer)
                    return nil
                case .waiting(let continuation):
                    state = .done
                    return continuation
                case .answered, .done:
                    return nil
                }
            }
            waiter?.resume(returning: answer)
        }
    }
}
