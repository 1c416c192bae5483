/// What a failed call means for the work that was in it (design section 7, "In doubt").
public enum Disposition: Sendable, Equatable {
    /// The answer, or its absence, proves that Salesforce ran nothing: the same call may be made again, after the wait if one
    /// is given.
    case nothingRan(retryAfter: Duration?)
    /// The request was written and its outcome is not known. A read is simply made again; a write is resolved first.
    case inDoubt
    /// A new token was refused too, or a person must authorize again. Nothing ran.
    case needsSession
    /// Something in the org, the user's rights or the mapping must be changed by a person. Nothing ran.
    case configuration
    /// A limit of the org; nothing ran. The wait is a lower bound before the next attempt.
    case limit(retryAfter: Duration)
    /// The position in a result is gone: start the query or job again from the last committed place.
    case restartQuery
    /// The request was malformed: a fault of ours. Nothing ran, and repeating it is pointless.
    case bug

    /// True when no part of the call can have had an effect.
    public var provesNothingRan: Bool { self != .inDoubt }

    /// True when the same call may succeed later without anybody changing anything.
    public var isTransient: Bool {
        switch self {
        case .nothingRan, .inDoubt, .limit: true
        case .needsSession, .configuration, .restartQuery, .bug: false
        }
    }
}
