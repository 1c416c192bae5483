internal import Logging
internal import PostgresClient

/// Moves staged records of a mapping into its table, in steps.
struct Merge: Sendable {
    struct Step: Decodable, Sendable, Equatable {
        var inserted = 0
        var updated = 0
        var unchanged = 0
        var deleted = 0
        var waiting = 0
        var more = false

        static func + (left: Step, right: Step) -> Step {
            Step(
                inserted: left.inserted + right.inserted, updated: left.updated + right.updated,
                unchanged: left.unchanged + right.unchanged, deleted: left.deleted + right.deleted, waiting: right.waiting,
                more: right.more)
        }

        var rows: Int { inserted + updated + deleted }
    }

    let database: ProtocolSession
    let log: EventLog

    /// Steps until nothing more can be merged now, or the service is asked to stop. What is locked by the application stays
    /// staged, and `hc_work` names it again.
    func run(_ mapping: String, object: String? = nil) async throws -> Step {
        var sum = Step()
        let (_, duration) = try await timed {
            repeat {
                guard let step = try await step(mapping) else { return }
                sum = sum + step
            } while sum.more && !isStopping
        }
        if sum.rows > 0 || sum.waiting > 0 {
            let name = object.map { "\($0) " } ?? ""
            log.mapping(mapping, "\(name)MERGE ↓DATABASE \(sum.rows) rows (\(duration.secondsText) secs)", state: "DATA_SYNCED", [
                "rows": .stringConvertible(sum.rows), "inserted": .stringConvertible(sum.inserted),
                "updated": .stringConvertible(sum.updated), "deleted": .stringConvertible(sum.deleted),
                "waiting": .stringConvertible(sum.waiting), "ms": .stringConvertible(duration.milliseconds),
            ])
        }
        return sum
    }

    /// One step; nil when it would have waited for the application too long, four times.
    private func step(_ mapping: String) async throws -> Step? {
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(1))
        for _ in 0..<4 {
            do {
                return try await database.ask(Step.self, "hc_merge", .text(mapping), 2000)
            } catch let error as PostgresError where error.isTransient && !error.isConnectionLoss {
                await rest(for: backoff.next())
            }
        }
        return nil
    }
}
