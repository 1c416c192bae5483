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
        defer { health.set(connection.id, .none) }
        while !isStopping {
            let begun = ContinuousClock.now
            do {
                try await standByAndLead()
            } catch let error as PostgresError where error.isStaleEpoch {
                log.sync("LEADERSHIP LOST", level: .warning, ["reason": .string("another relay leads")])
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

    private func standByAndLead() async throws {
        let session = try await RelaySession.open(configuration.databaseURL, purpose: "\(connection.schema) leader", isLease: true)
        do {
            if let epoch = try await takeLead(session) { try await lead(session, epoch) }
            await session.close()
        } catch {
            await session.close()
            throw error
        }
    }

    /// Asks for the lead until it is given; nil when the service is asked to stop.
    private func takeLead(_ session: RelaySession) async throws -> Int? {
        var hasWaited = false
        while !isStopping {
            if let epoch = try await session.call("hc_lead", [.text(connection.id), .text(configuration.holder)]).flatMap({ Int($0) }) {
                return epoch
            }
            if !hasWaited { log.sync("STANDING BY", ["reason": .string("another relay leads")]) }
            hasWaited = true
            health.set(connection.id, .standsBy)
            await rest(for: configuration.timing.standby)
        }
        return nil
    }

    private func lead(_ session: RelaySession, _ epoch: Int) async throws {
        log.sync("LEADING", ["epoch": .stringConvertible(epoch), "schema": .string(connection.schema)])
        health.set(connection.id, .leads)
        let leader = ProtocolSession(session: session, connection: connection, epoch: epoch)
        try await Leadership(configuration: configuration, leader: leader, log: log).serve()
        log.sync("STOPPED", ["epoch": .stringConvertible(epoch)])
    }
}
