internal import PostgresClient
internal import SalesforceAPI

/// The lane that writes: drains the log batch by batch in its order, reads back what it wrote, and finishes what an earlier
/// relay left. It works on the leader's own session, so it cannot outlive its leadership.
struct WriteLane: Sendable {
    let database: ProtocolSession
    let org: OrgAccess
    let wakes: Wakeups
    let log: EventLog
    let timing: RelayTiming

    private var sender: BatchSender { BatchSender(database: database, org: org, log: log, timing: timing) }
    private var readBack: ReadBack { ReadBack(database: database, org: org, log: log) }
    private var doubts: DoubtResolver { DoubtResolver(database: database, org: org, log: log) }

    /// Runs until the service is asked to stop, then ends after the batch under way.
    /// - Throws: when leadership or the session is lost.
    func run() async throws {
        // A relay that ended in the middle of a cycle left the writers told to keep quiet.
        try await markBusy(false)
        var plan = LanePlan()
        while !isStopping {
            let hasDrained = try await drain(&plan)
            try await readWhatWasWritten(&plan)
            if hasDrained {
                try await database.call("hc_cycle_done")
                try await markBusy(false)
                // What was committed meanwhile was not announced: look once more.
                if plan.isOpen(.sending, at: .now) { continue }
            }
            guard !isStopping, let work = try await database.ask(Work.self, "hc_work") else { break }
            let hasApplied = try await apply(work.apply)
            // What came of it may be to be sent or read back.
            if try await resolve(work.doubts, &plan) || hasApplied { continue }
            await wakes.wait(upTo: plan.pause(work.pause(probe: timing.probe), at: .now))
        }
    }

    /// Sends until nothing can be sent now. True if anything was claimed.
    private func drain(_ plan: inout LanePlan) async throws -> Bool {
        guard plan.isOpen(.sending, at: .now), try await isLoggedIn(&plan) else { return false }
        var hasClaimed = false
        while !isStopping, let batch = try await database.ask(BatchRequest.self, "hc_claim", 200) {
            if !hasClaimed { try await markBusy(true) }
            hasClaimed = true
            let outcome = try await sender.send(batch)
            if let wait = outcome.obstacle {
                plan.failed(.sending, atLeast: wait, at: .now)
                break
            }
            plan.succeeded(.sending)
        }
        return hasClaimed
    }

    /// Nothing is claimed that could not be sent.
    private func isLoggedIn(_ plan: inout LanePlan) async throws -> Bool {
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

    /// True if an answer that had waited was applied.
    private func apply(_ batches: [Int]) async throws -> Bool {
        var hasApplied = false
        for batch in batches where !isStopping { hasApplied = try await sender.apply(batch) || hasApplied }
        return hasApplied
    }

    /// True if a doubt was resolved, after which there is more to do at once.
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

    /// Writers announce nothing while the relay is busy. Not an act of the epoch: a wrong mark costs only latency.
    private func markBusy(_ isBusy: Bool) async throws(PostgresError) {
        try await database.session.call("hc_busy", [.text(database.connection.id), .bool(isBusy)])
    }
}
