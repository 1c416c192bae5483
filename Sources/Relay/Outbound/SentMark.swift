internal import PostgresClient
internal import SalesforceAPI
internal import Synchronization

/// Marks a batch as sent, on the session that holds the connection's lock, immediately before its request is written: from
/// then on its outcome is unknown until the answer is stored. Only the leader can mark, so a relay that lost the lead sends
/// nothing.
final class SentMark: WriteGuard {
    private let database: ProtocolSession
    private let org: OrgAccess
    private let batch: Int
    private let validity: Duration
    private let refused = Mutex<(any Error)?>(nil)

    init(database: ProtocolSession, org: OrgAccess, batch: Int, validity: Duration) {
        self.database = database
        self.org = org
        self.batch = batch
        self.validity = validity
    }

    /// Why the batch could not be marked, if it could not.
    var refusal: (any Error)? { refused.withLock { $0 } }

    /// Marks, after making sure that a session renewed meanwhile belongs to the connection's org.
    func beforeSending() async throws(SalesforceError) {
        do {
            _ = try await org.ready()
            try await mark()
        } catch let error as SalesforceError {
            throw error
        } catch {
            refused.withLock { $0 = error }
            throw SalesforceError(
                .nothingRan(retryAfter: nil), code: "not_marked", message: "the batch could not be marked as sent",
                operation: "batch \(batch)")
        }
    }

    /// A process that was stopped or swapped out right after the mark may have lost the lead meanwhile, so a mark that is older
    /// than its validity is renewed, and the renewal fails if another relay leads.
    private func mark() async throws(PostgresError) {
        let clock = ContinuousClock()
        var marked: ContinuousClock.Instant
        repeat {
            marked = clock.now
            try await database.call("hc_sent", .int(batch))
        } while clock.now - marked > validity
    }
}
