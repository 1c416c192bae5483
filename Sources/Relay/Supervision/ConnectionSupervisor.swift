internal import Logging
internal import PostgresClient

/// Leads one connection, or stands by to lead it, for as long as it exists.
struct ConnectionSupervisor: Sendable {
    let configuration: RelayConfiguration
    let connection: ServedConnection
    let log: EventLog
    let health: RelayHealth

    /// Returns when the service is asked to stop, or the connection was removed.
    /// - Throws: only cancellation and ``RelayError``, for what a person must change first.
    func run() async throws {
        var backoff = Backoff(base: .milliseconds(200), cap: configuration.timing.backoffCap)
        var refusal: String?
        defer { health.set(connection.id, .none) }
        while !isStopping {
            let begun = ContinuousClock.now
            do {
                try await standByAndLead(&refusal)
            } catch let error as PostgresError where error.isStaleEpoch {
                log.sync("LEADERSHIP LOST", level: .warning, ["reason": .string("another relay leads")])
            } catch let error as PostgresError where error.isOtherDatabase {
                log.sync("LEADERSHIP LOST", state: "SYSTEM_ERROR", level: .warning, ["reason": .string(error.serverMessage ?? "")])
                await rest(for: backoff.next())   // the next attempt looks why
            } catch let error as PostgresError where error.isUnknown {
                log.sync("CONNECTION REMOVED", level: .notice)
                return
            } catch let error as PostgresError where error.code == .cancelled {
                throw CancellationError()
            } catch let error as PostgresError {
                // What fails again and again within seconds is tried less and less often.
                if ContinuousClock.now - begun > .seconds(10) { backoff.reset() }
                await rest(for: report(error, backoff.next()))
            }
        }
    }

    private func report(_ error: PostgresError, _ wait: Duration) -> Duration {
        health.set(connection.id, .none)
        log.sync(
            error.isConnectionLoss ? "DATABASE UNAVAILABLE" : "STEP FAILED",
            state: error.isConnectionLoss ? "DB_UNAVAILABLE" : "SYSTEM_ERROR", level: .error, [
                "error": .stringConvertible(error), "retry_ms": .stringConvertible(wait.milliseconds),
            ])
        return wait
    }

    /// - Parameter refusal: why this database was refused when it was last looked at, so that it is said once.
    private func standByAndLead(_ refusal: inout String?) async throws {
        let session = try await RelaySession.open(configuration.databaseURL, purpose: "\(connection.schema) leader", isLease: true)
        let keeper = FenceKeeper(directory: configuration.stateDirectory, connection: connection.id)
        do {
            let why = try await session.refusal(of: connection.id, keeper)
            if let why, why != refusal { tellRefusal(why) }
            refusal = why
            if why == nil, let epoch = try await takeLead(session, keeper) { try await lead(session, epoch, keeper) }
            await session.close()
            // On a new session, because DATABASE_URL may lead elsewhere then.
            if why != nil { await rest(for: configuration.timing.standby * 3) }
        } catch {
            await session.close()
            throw error
        }
    }

    private func tellRefusal(_ why: String) {
        health.set(connection.id, .none)
        log.sync("WRONG DATABASE", state: "SYSTEM_ERROR", level: .error, [
            "reason": .string(why), "todo": .string("hc-relay connection rebind \(connection.schema), if this database shall be the one"),
        ])
    }

    /// Asks for the lead until it is given; nil when the service is asked to stop.
    private func takeLead(_ session: RelaySession, _ keeper: FenceKeeper?) async throws -> Int? {
        var hasWaited = false
        while !isStopping {
            let whence = try await session.whence(keeper)
            let epoch = try await session.call("hc_lead", [.text(connection.id), .text(configuration.holder), .json(whence)])
            if let epoch = epoch.flatMap({ Int($0) }) { return epoch }
            if !hasWaited { log.sync("STANDING BY", ["reason": .string("another relay leads")]) }
            hasWaited = true
            health.set(connection.id, .standsBy)
            await rest(for: configuration.timing.standby)
        }
        return nil
    }

    private func lead(_ session: RelaySession, _ epoch: Int, _ keeper: FenceKeeper?) async throws {
        log.sync("LEADING", ["epoch": .stringConvertible(epoch), "schema": .string(connection.schema)])
        health.set(connection.id, .leads)
        let leader = ProtocolSession(session: session, connection: connection, epoch: epoch)
        let fence = Fence(leader: leader, keeper: keeper, log: log)
        try await fence.advance()
        try await Leadership(configuration: configuration, leader: leader, fence: fence, log: log).serve()
        log.sync("STOPPED", ["epoch": .stringConvertible(epoch)])
    }
}
