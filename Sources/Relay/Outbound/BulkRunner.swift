/// Takes a Bulk job through its conversation with Salesforce. The lane runs it beside its requests, for as long as it takes.
protocol BulkRunner: Sendable {
    /// Runs the job of a call whose `api` is `bulk1` or `bulk2`, or takes it up where an earlier relay left it. Every step that
    /// must survive the relay is in the database before the next one begins.
    ///
    /// - Parameter steps: marks the call as sent (`mark`), on the session that holds the connection's lock.
    /// - Returns: what became of its one batch, for the lane to store and apply; nil when the outcomes of its rows are stored
    ///   already, so that `hc_work` names them, and when the service is stopping and the job goes on by itself: the next leader
    ///   asks for it.
    /// - Throws: `PostgresError` when leadership or the session is lost. What Salesforce says is an outcome.
    func run(_ call: CallRequest, steps: DatabaseCombiner) async throws -> BatchOutcome?
}
