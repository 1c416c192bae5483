/// What an org keeps besides objects and records.
struct OrgSettings: Codable, Sendable, Equatable {
    /// A connected app: who may ask for tokens, and how.
    struct App: Codable, Sendable, Equatable {
        var clientId: String
        var clientSecret: String
        /// The key of JWT bearer assertions: a PEM certificate or public key.
        var certificate: String?
        /// The user a client-credentials token runs as; nil: the flow is refused.
        var runAs: String?
        /// Users allowed to use the app; nil allows everyone.
        var approvedUsers: [String]?
        /// A refresh answers a new refresh token and ends the old one.
        var rotatesRefreshTokens = false
    }

    /// What one user, or everyone (`*`), may do with a field.
    struct Permission: Codable, Sendable, Equatable {
        var user: String
        var object: String
        var field: String
        var readable = true
        var createable = true
        var updateable = true
    }

    var organizationId: String
    var organizationName: String
    var apps: [App] = []
    /// Passwords by user name, for SOAP login.
    var passwords: [String: String] = [:]
    var permissions: [Permission] = []
    var versions: [String]
    /// Calls per day; the default is a sandbox's.
    var dailyRequests = 5_000_000
    var otherLimits: [String: Int] = [:]
    /// Seconds without use after which a session ends.
    var sessionSeconds = 7_200
    /// Seconds a Bulk query job stays InProgress.
    var bulkDelayMilliseconds = 0
    /// Records of a Bulk 2.0 result page when the client names no maximum.
    var bulkPageRecords = 50_000
    /// Largest page of a query over REST and SOAP.
    var queryPageRecords = 2_000
    /// Nil in an org that was made before they were: the standard.
    var soapSettings: SOAPSettings?
    var querySettings: QuerySettings?
}
