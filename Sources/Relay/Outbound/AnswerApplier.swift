internal import Logging
internal import PostgresClient

/// Does what a stored answer asks for: log, rows and archive.
struct AnswerApplier: Sendable {
    let steps: DatabaseCombiner
    let log: EventLog

    /// Applies a stored answer. What waits for a lock is named by `hc_work` when it is due again.
    /// - Returns: whether anything was applied.
    func apply(_ batch: Int) async throws -> Bool {
        do {
            let applied = try await steps.apply(batch)
            if applied.waiting > 0 {
                log.sync("ROWS WAIT FOR THE APPLICATION", state: "POLLING_DB_CHANGES", level: .notice, [
                    "batch": .stringConvertible(batch), "rows": .stringConvertible(applied.waiting),
                ])
            }
            return applied.applied > 0
        } catch let error as PostgresError where !error.isConnectionLoss && (error.isTransient || error.isWrongState || error.isUnknown) {
            log.sync("APPLYING ANSWER WAITS", state: "POLLING_DB_CHANGES", level: .notice, [
                "batch": .stringConvertible(batch), "error": .stringConvertible(error),
            ])
            return false
        }
    }
}
