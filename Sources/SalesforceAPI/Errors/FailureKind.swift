/// What kind of obstacle refused a whole call, by which it is retried or shown to a person (API reference 7.1, 7.4). The database
/// has the rule of each kind (`hc_retry_rule`); ``Disposition`` says what the failure proves.
public enum FailureKind: String, Sendable, CaseIterable {
    /// Maintenance, overload, the network: as long as it lasts.
    case outage
    /// Another transaction holds a record.
    case lock
    /// The call was too much work for Salesforce: it is tried in halves.
    case slow
    /// An error without a reason, or a code that nobody knows.
    case unknown
    /// Too many long calls at the same time.
    case concurrency
    /// A daily limit of the org.
    case quota
    /// The user or the app may not log in any more.
    case login
    /// The org has ended or is closed.
    case inactive
    /// The org refuses the API, its version or this client.
    case organization
    /// The mapping, the user's rights or the org's schema.
    case configuration
    /// The request as it was written: a fault of ours, or a record that cannot be written so.
    case request
}

extension SalesforceError {
    public var kind: FailureKind { RequestErrorTable.kind(code: code, message: message, disposition: disposition) }
}
