internal import SalesforceAPI
internal import Synchronization

/// Marks a call's batches, or a step of a Bulk job, as sent, on the session that holds the connection's lock, immediately before
/// its request is written: from then on its outcome is unknown until the answer is stored. Only the leader can mark, so a relay
/// that lost the lead sends nothing.
final class SentMark: WriteGuard {
    private let org: OrgAccess
    private let work: String
    private let validity: Duration
    private let write: @Sendable () async throws -> Void
    private let refused = Mutex<(any Error)?>(nil)

    /// - Parameters:
    ///   - work: what is marked, for an error.
    ///   - write: marks it, on the leader's session.
    init(org: OrgAccess, work: String, validity: Duration, write: @escaping @Sendable () async throws -> Void) {
        self.org = org
        self.work = work
        self.validity = validity
        self.write = write
    }

    convenience init(steps: DatabaseCombiner, org: OrgAccess, call: Int, validity: Duration) {
        self.init(org: org, work: "call \(call)", validity: validity) { try await steps.mark(call) }
    }

    /// Why the call could not be marked, if it could not.
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
                .nothingRan(retryAfter: nil), code: "not_marked", message: "\(work) could not be marked as sent",
                operation: work)
        }
    }

    /// A process that was stopped or swapped out right after the mark may have lost the lead meanwhile, so a mark that is older
    /// than its validity is renewed, and the renewal fails if another relay leads.
    private func mark() async throws {
        let clock = ContinuousClock()
        var marked: ContinuousClock.Instant
        repeat {
            marked = clock.now
            try await write()
        } while clock.now - marked > validity
    }
}
