/// What an org keeps besides objects and records.
struct OrgSettings: Codable, Sendable, Equatable {
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
    var oauth = OAuthSettings()
    var service = ServiceSettings()
    var versions: [String]
    /// Calls per day; the default is a sandbox's.
    var dailyRequests = 5_000_000
    var otherLimits: [String: Int] = [:]
    /// Seconds without use after which a session ends.
    var sessionSeconds = 7_200
    /// Milliseconds that a Bulk job or batch stays InProgress before its work.
    var bulkDelayMilliseconds = 0
    /// Nil until something of it was set: an org saved before these settings existed opens as it is.
    var bulkSettings: BulkSettings?
    /// Records of a Bulk 2.0 result page when the client names no maximum.
    var bulkPageRecords = 50_000
    /// Largest page of a query over REST and SOAP.
    var queryPageRecords = 2_000
    /// Nil in an org that was made before they were: the standard.
    var soapSettings: SOAPSettings?
    var querySettings: QuerySettings?
    var recordSettings: RecordSettings?
}
