internal import PostgresClient
internal import SalesforceAPI

/// One write cycle: claims, sends and applies, several calls at a time, until nothing can be sent now.
struct Drain: Sendable {
    let sender: CallSender
    let applier: AnswerApplier
    /// Claims and write-backs, beside the leader's session.
    let beside: DatabaseCombiner
    let wakes: Wakeups
    private let events = LaneEvents()

    /// What the lane remembers from one cycle to the next.
    struct State {
        var plan = LanePlan()
        var occupancy = LaneOccupancy(lanes: 1)
        var isFirst = true
        /// Whether anything was claimed in this cycle.
        fileprivate var hasClaimed = false
        /// Why nothing more may begin, although what is under way can end well: the session beside the leader's is lost.
        fileprivate var loss: (any Error)?
    }

    init(sender: CallSender, applier: AnswerApplier, beside: DatabaseCombiner, wakes: Wakeups) {
        self.sender = sender
        self.applier = applier
        self.beside = beside
        self.wakes = wakes
    }

    /// - Parameter maySend: false to let only what is under way end.
    /// - Returns: whether anything was claimed.
    /// - Throws: when leadership or a session is lost.
    func run(maySend: Bool, _ state: inout State, _ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        state.hasClaimed = false
        state.occupancy.woken()
        for event in try await events.pending() { try take(event, &state, &group) }
        while true {
            if maySend, !isStopping, state.loss == nil, state.plan.isOpen(.sending, at: .now) { begin(&state, &group) }
            if state.occupancy.isQuiet { break }
            // Time alone can make a claim worth while, or open what an obstacle had closed.
            try take(try await events.next(upTo: state.plan.pause(LaneOccupancy.pauseOfEmpty, at: .now)), &state, &group)
        }
        if let loss = state.loss { throw loss }
        return state.hasClaimed
    }

    /// Waits for Bulk jobs, which leave themselves to the next leader when the service stops.
    func awaitJobs(_ state: inout State) async throws {
        while state.occupancy.jobs > 0 {
            guard case .ended(let call, _, let result) = try await events.next(upTo: .seconds(60)) else { continue }
            state.occupancy.ended(call)
            _ = try result.get()
        }
    }

    private func begin(_ state: inout State, _ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let isProbing = state.plan.isProbing(.sending)
        while let call = state.occupancy.next(isProbing: isProbing) {
            group.addTask {
                let begun = ContinuousClock.now
                let result = await caught { try await sender.send(call) }
                events.report(.ended(call, begun: begun, result))
                // The end of a job is awaited by nobody.
                if call.api != .single { wakes.raise() }
            }
        }
        let count = state.occupancy.claimable(isProbing: isProbing, at: .now)
        guard count > 0 else { return }
        state.occupancy.claimBegins()
        group.addTask {
            events.report(.claimed(await caught { try CallRequest.read(try await beside.claim(count)) }))
        }
    }

    private func take(_ event: LaneEvents.Event, _ state: inout State, _ group: inout ThrowingDiscardingTaskGroup<any Error>) throws {
        switch event {
        case .claimed(let result):
            let calls = try state.goingOn(with: result) ?? []
            state.occupancy.claimed(calls, at: .now)
            if !calls.isEmpty, !state.hasClaimed {
                state.hasClaimed = true
                // After the first claim, because it costs the first change after a quiet time nothing then.
                state.occupancy.isMarkingBusy = true
                group.addTask { events.report(.markedBusy(await caught { try await beside.markBusy(true) })) }
            }
        case .ended(let call, let begun, let result):
            state.occupancy.ended(call)
            let answers = try result.get()
            note(answers, begun, &state.plan)
            for answer in answers where answer.outcome.obstacle == nil {
                state.occupancy.applyBegins()
                group.addTask { events.report(.applied(await caught { try await applier.apply(answer.batch) })) }
            }
        case .applied(let result):
            state.occupancy.applied()
            _ = try state.goingOn(with: result)
        case .markedBusy(let result):
            state.occupancy.isMarkingBusy = false
            _ = try state.goingOn(with: result)
        case .tick: break
        }
    }

    private func note(_ answers: [BatchAnswer], _ begun: ContinuousClock.Instant, _ plan: inout LanePlan) {
        if let wait = answers.compactMap(\.outcome.obstacle).max() {
            plan.failed(.sending, atLeast: wait, begun: begun, at: .now)
        } else if !answers.isEmpty {
            plan.succeeded(.sending, begun: begun)
        }
    }
}

extension Drain.State {
    /// The value, or nil for a failure that lets what is under way end first.
    /// - Throws: a lost lead.
    fileprivate mutating func goingOn<Value>(with result: Result<Value, any Error>) throws -> Value? {
        do {
            return try result.get()
        } catch let error as PostgresError where error.isStaleEpoch || error.code == .cancelled {
            throw error
        } catch {
            if loss == nil { loss = error }
            return nil
        }
    }
}

/// What `work` returns or throws.
private func caught<Value: Sendable>(_ work: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await work()) } catch { return .failure(error) }
}
