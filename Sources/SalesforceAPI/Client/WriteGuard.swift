/// What the caller of a write wants done immediately before its request goes out: marking the work as sent, and making sure
/// that it is still the caller's.
public protocol WriteGuard: Sendable {
    /// Runs when the session is there, and again before the one replay that follows a renewal, so that no login lies between
    /// it and the request. When it throws, nothing is sent.
    func beforeSending() async throws(SalesforceError)
}

/// The guard of the writes of the present task.
public enum WriteGuards {
    @TaskLocal public static var current: (any WriteGuard)?
}
