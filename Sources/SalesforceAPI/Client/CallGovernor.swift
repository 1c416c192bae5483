/// Decides before each call whether the org's allowance has room for it, and learns from each answer what is used.
public protocol CallGovernor: Sendable {
    /// Counts the call that is about to be made.
    ///
    /// - Returns: what ``ended(_:usage:)`` is told of this call.
    /// - Throws: ``SalesforceError`` with ``Disposition/nothingRan(retryAfter:)`` when the call must not be made now: the org has
    ///   refused nothing, so it is no ``Disposition/limit(retryAfter:)``.
    func admit(_ operation: String) async throws(SalesforceError) -> CallTicket

    /// The call has been answered, or will not be.
    ///
    /// - Parameters:
    ///   - wasMade: false when its request was not written after all.
    ///   - usage: what the answer says of the org's use.
    func ended(_ ticket: CallTicket, wasMade: Bool, usage: APIUsage?)
}

/// Names one call to its governor.
public struct CallTicket: Sendable, Hashable {
    public let number: Int
    public init(number: Int) { self.number = number }
}
