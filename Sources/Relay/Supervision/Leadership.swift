internal import Logging
internal import PostgresClient

/// One relay's time as the leader of a connection, from the lock to its loss. Everything it does is a child of one task
/// group, so nothing outlives the loss.
struct Leadership: Sendable {
    let configuration: RelayConfiguration
    /// On the session that holds the lock.
    let leader: ProtocolSession
    let fence: Fence
    let log: EventLog

    private var timing: RelayTiming { configuration.timing }

    /// Serves the connection until the service is asked to stop and all pieces of work under way are done.
    /// - Throws: when leadership or the leading session is lost.
    func serve() async throws {
        let writes = Wakeups(), reads = Wakeups()
        let governor = QuotaGovernor(database: leader, log: log, lanes: [writes, reads])
        try await governor.begin()
        let org = try OrgAccess(configuration.salesforce, database: leader, log: log, governor: governor)
        let sessions = SessionSource(
            databaseURL: configuration.databaseURL, connection: leader.connection, epoch: leader.epoch,
            address: await leader.session.postgres.address, log: log, backoffCap: timing.backoffCap)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await heartbeat() }
            group.addTask { try await fence.keepAdvancing(every: timing.fence) }
            group.addTask { try await listen(sessions, [writes, reads]) }
            group.addTask { try await governor.keepNoting(every: timing.heartbeat) }
            group.addTask {
                try await work(org, sessions, writes, reads)
                try await governor.end()
            }
            defer { group.cancelAll() }
            // The first to end is the work, when the service stops, or whoever notices the loss.
            try await group.next()
        }
    }

    private func work(_ org: OrgAccess, _ sessions: SessionSource, _ writes: Wakeups, _ reads: Wakeups) async throws {
        let desk = LoadDesk(limit: configuration.loadConcurrency, asker: reads)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await WriteLane(
                    database: leader, sessions: sessions, org: org, wakes: writes, log: log, timing: timing,
                    bulk: BulkJobRunner(database: leader, rows: BulkRows(sessions), org: org, log: log, timing: timing)
                ).run()
            }
            group.addTask {
                try await ReadLane(sessions: sessions, org: org, desk: desk, wakes: reads, log: log, timing: timing).run()
            }
            group.addTask {
                try await LoadLane(desk: desk, timing: timing) { mapping in
                    try await load(mapping, org, sessions)
                }.run()
            }
            // Not waitForAll, which lets the other lanes go on without the one that failed.
            for try await _ in group {}
        }
    }

    /// One load, on its own session. A lost session is no lost leadership: the database names the load again.
    private func load(_ mapping: String, _ org: OrgAccess, _ sessions: SessionSource) async throws {
        do {
            let database = try await sessions.open("load")
            do {
                try await Load(database: database, org: org, log: log, configuration: configuration, mapping: mapping).run()
                await database.session.close()
            } catch {
                await database.session.close()
                throw error
            }
        } catch let error as PostgresError where !error.isStaleEpoch && error.code != .cancelled {
            log.mapping(mapping, "RELOAD INTERRUPTED", state: "RELOAD_TABLE", level: .warning, ["error": .stringConvertible(error)])
            await rest(for: .seconds(1))
        }
    }

    /// Speaks on the leading session, so that the database keeps its lock, and notices when it is gone.
    private func heartbeat() async throws {
        while true {
            try await Task.sleep(for: timing.heartbeat)
            _ = try await leader.session.postgres.query("SELECT 1", [])
        }
    }

    /// Turns notifications into wake-ups. While the listening session is being opened anew, the probe is the net.
    private func listen(_ sessions: SessionSource, _ lanes: [Wakeups]) async throws {
        try await sessions.keepOpen("listen") { database in
            try await database.session.postgres.listen(leader.connection.channel) { wakes in
                lanes.forEach { $0.raise() }
                for try await _ in wakes { lanes.forEach { $0.raise() } }
            }
        }
        // Only a stop ends it; the work decides when the leadership is over.
        try await Task.sleep(for: .seconds(86_400))
    }
}
