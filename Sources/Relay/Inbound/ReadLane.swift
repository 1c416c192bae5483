internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// The lane that reads: polls what is due, merges what waited, tidies up, and tells the loads what there is to load. Works on
/// a session of its own and opens another when that is lost, as long as this relay leads.
struct ReadLane: Sendable {
    let sessions: SessionSource
    let org: OrgAccess
    let desk: LoadDesk
    let wakes: Wakeups
    let log: EventLog
    let timing: RelayTiming

    /// Runs until the service is asked to stop.
    /// - Throws: when another relay leads.
    func run() async throws {
        try await sessions.keepOpen("read") { database in
            while !isStopping {
                let asked = ContinuousClock.now
                guard let work = try await database.ask(Work.self, "hc_work") else { return }
                desk.offer(work.loads.map(\.mapping), asked: asked)
                if work.paused {
                    await wakes.wait(upTo: timing.probe)
                    continue
                }
                let hasWorked = try await doWork(work, database)
                if !hasWorked { await wakes.wait(upTo: work.pause(probe: timing.probe)) }
            }
        }
    }

    /// True when something was done, after which the database is asked again at once.
    private func doWork(_ work: Work, _ database: ProtocolSession) async throws -> Bool {
        var hasWorked = false
        for item in work.describe where !isStopping {
            try await Describe(database: database, org: org, log: log).run(item)
            hasWorked = true
        }
        for mapping in work.staged where !isStopping {
            let step = try await merged(mapping, database)
            hasWorked = hasWorked || step.rows > 0
        }
        for item in work.polls where !isStopping {
            let poll = Poll(database: database, org: org, log: log, mapping: item.mapping)
            hasWorked = try await poll.run() || hasWorked
        }
        if work.housekeeping, !isStopping { try await keepHouse(database) }
        return hasWorked
    }

    private func merged(_ mapping: String, _ database: ProtocolSession) async throws -> Merge.Step {
        do {
            return try await Merge(database: database, log: log).run(mapping)
        } catch let error as PostgresError where error.isUnknown || error.isWrongState {
            return Merge.Step()
        }
    }

    /// A bounded piece; what is left is named again.
    private func keepHouse(_ database: ProtocolSession) async throws {
        struct Rest: Decodable { var more: Bool }
        for _ in 0..<20 where !isStopping {
            do {
                guard try await database.ask(Rest.self, "hc_housekeeping")?.more == true else { return }
            } catch let error as PostgresError where error.isTransient && !error.isConnectionLoss {
                log.sync("HOUSEKEEPING WAITS", level: .debug, ["error": .stringConvertible(error)])
                return
            }
        }
    }
}
