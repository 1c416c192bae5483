internal import PostgresClient
internal import SalesforceAPI

/// The lanes that write: drain the log with several calls at a time, read back what was written, and finish what an earlier
/// relay left.
///
/// Marks and answers go over the leader's own session, so no request begins after the lead is lost; claims and write-backs,
/// which can take long, over a session of the same epoch beside it. One loop decides; whatever takes time is a child of its
/// task group and reports to it.
struct WriteLane: Sendable {
    let database: ProtocolSession
    let sessions: SessionSource
    let org: OrgAccess
    let wakes: Wakeups
    let log: EventLog
    let timing: RelayTiming
    let bulk: (any BulkRunner)?

    private var readBack: ReadBack { ReadBack(database: database, org: org, log: log) }
    private var doubts: DoubtResolver { DoubtResolver(database: database, org: org, log: log) }

    /// Runs until the service is asked to stop, then ends after the calls under way.
    /// - Throws: when leadership or a session is lost.
    func run() async throws {
        let beside = try await sessions.open("write")
        do {
            try await run(DatabaseCombiner(database), DatabaseCombiner(beside))
            await beside.session.close()
        } catch {
            await beside.session.close()
            throw error
        }
    }

    private func run(_ leading: DatabaseCombiner, _ beside: DatabaseCombiner) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await leading.serve() }
            group.addTask { await beside.serve() }
            let drain = Drain(
                sender: CallSender(steps: leading, org: org, log: log, timing: timing, bulk: bulk),
                applier: AnswerApplier(steps: beside, log: log), beside: beside, wakes: wakes)
            // Cancels what is under way when it throws.
            try await conduct(drain, &group)
            await leading.finish()
            await beside.finish()
        }
    }

    private func conduct(_ drain: Drain, _ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        // A relay that ended in the middle of a cycle left the writers told to keep quiet.
        try await drain.beside.markBusy(false)
        var state = Drain.State()
        while !isStopping, let work = try await database.ask(Work.self, "hc_work") {
            state.occupancy.lanes = work.lanes
            // What came of it may be to be sent or read back.
            let hasMore = try await finish(work, drain, &state.plan)
            if !hasMore, !state.isFirst { await wakes.wait(upTo: state.plan.pause(work.pause(probe: timing.probe), at: .now)) }
            state.isFirst = false
            try await cycles(drain, &state, &group)
        }
        try await drain.awaitJobs(&state)
    }

    /// Sends and reads back until nothing more can be sent now.
    private func cycles(_ drain: Drain, _ state: inout Drain.State, _ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        while !isStopping {
            let maySend = try await isLoggedIn(&state.plan)
            let hasDrained = try await drain.run(maySend: maySend, &state, &group)
            try await readWhatWasWritten(&state.plan)
            guard hasDrained else { return }
            try await database.call("hc_cycle_done")
            try await drain.beside.markBusy(false)
            // What was committed meanwhile was not announced: look once more.
            guard state.plan.isOpen(.sending, at: .now) else { return }
        }
    }

    /// Nothing is claimed that could not be sent.
    private func isLoggedIn(_ plan: inout LanePlan) async throws -> Bool {
        guard plan.isOpen(.sending, at: .now) else { return false }
        do {
            _ = try await org.ready()
            return true
        } catch is SalesforceError {
            plan.failed(.sending, at: .now)
            return false
        }
    }

    private func readWhatWasWritten(_ plan: inout LanePlan) async throws {
        guard plan.isOpen(.readingBack, at: .now) else { return }
        if let wait = try await readBack.run() {
            plan.failed(.readingBack, atLeast: wait, at: .now)
        } else {
            plan.succeeded(.readingBack)
        }
    }

    /// Applies answers that had waited and resolves doubts. True if there is more to do at once.
    private func finish(_ work: Work, _ drain: Drain, _ plan: inout LanePlan) async throws -> Bool {
        let hasApplied = try await apply(work.apply, drain.applier)
        return try await resolve(work.doubts, &plan) || hasApplied
    }

    private func apply(_ batches: [Int], _ applier: AnswerApplier) async throws -> Bool {
        var hasApplied = false
        for batch in batches where !isStopping { hasApplied = try await applier.apply(batch) || hasApplied }
        return hasApplied
    }

    private func resolve(_ batches: [Work.DoubtItem], _ plan: inout LanePlan) async throws -> Bool {
        var hasResolved = false
        for item in batches where !isStopping && plan.isOpen(.doubts, at: .now) {
            if let wait = try await doubts.resolve(item.batch) {
                plan.failed(.doubts, atLeast: wait, at: .now)
            } else {
                plan.succeeded(.doubts)
                hasResolved = true
            }
        }
        return hasResolved
    }
}
