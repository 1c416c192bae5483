/// Why a call to Salesforce failed, classified once (API reference 7).
///
/// ``description`` is one line for a person: what was asked, what Salesforce said, what to do. It holds no token and no body.
public struct SalesforceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the failure means for the work in the call.
    public let disposition: Disposition
    /// Salesforce's code, an open string (`INVALID_FIELD`, `invalid_grant`, `InvalidBatch`); for failures below HTTP a code of
    /// the transport in small letters.
    public let code: String?
    /// Salesforce's own text or ours, at most ``maximumMessageLength`` characters, with anything like a token removed.
    public let message: String
    /// Fields that Salesforce named.
    public let fields: [String]
    /// The HTTP status, if an answer arrived.
    public let status: Int?
    /// Salesforce's id of the request (`X-SFDC-Request-Id`), for its support.
    public let requestID: String?
    /// What was asked, such as `update of 12 Contact records`.
    public let operation: String

    public static let maximumMessageLength = 1000

    public init(
        _ disposition: Disposition, code: String? = nil, message: String, fields: [String] = [], status: Int? = nil,
        requestID: String? = nil, operation: String
    ) {
        self.disposition = disposition
        self.code = code
        self.message = Redaction.clean(message, limit: Self.maximumMessageLength)
        self.fields = fields
        self.status = status
        self.requestID = requestID
        self.operation = operation
    }

    /// What a person can do about it, if that is known.
    public var advice: String? { Advice.text(code: code, message: message) }

    /// The least wait before the same call is made again, if one is known.
    public var retryAfter: Duration? {
        switch disposition {
        case .nothingRan(let wait): wait
        case .limit(let wait): wait
        case .inDoubt, .needsSession, .configuration, .restartQuery, .bug: nil
        }
    }

    public var description: String {
        var line = "\(operation): \(message.isEmpty ? "no reason given" : message)"
        if let code, !message.contains(code) { line += " (\(code))" }
        if code == nil, let status { line += " (HTTP \(status))" }
        if let advice { line += "; \(advice)" }
        return line
    }
}
