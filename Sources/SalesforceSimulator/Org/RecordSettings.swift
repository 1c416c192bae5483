/// What an org keeps for saves: permissions by object, the recycle bin, limits, the standard of headers.
struct RecordSettings: Codable, Sendable, Equatable {
    /// What one user, or everyone (`*`), may do with an object.
    struct ObjectPermission: Codable, Sendable, Equatable {
        var user: String
        var object: String
        var readable = true
        var createable = true
        var updateable = true
        var deletable = true
    }

    var objectPermissions: [ObjectPermission] = []
    /// Ids of users, or `*`, without "View Encrypted Data": they read masks.
    var usersWithoutEncryptedData: [String] = []
    /// REST uses the standard assignment rule when a call has no `Sforce-Auto-Assign` (wire reference 2.1).
    var restAssignsByDefault = true
    /// Records that the recycle bin holds; the oldest are purged beyond it. Nil: as many as come.
    var recycleBinRecords: Int?
    /// The delete log has nothing from before this moment, milliseconds since 1970; nil: 15 days.
    var deleteLogStart: Int64?
    /// Entries of the delete log beyond which what is older than two hours is trimmed (wire reference 2.10). Nil: as many as come.
    var deleteLogRecords: Int?
    /// Used parts of limits, by their names in `/limits`.
    var usedLimits: [String: Int] = [:]
    /// Seconds that `/limits` stays behind.
    var limitsLagSeconds = 0
}

extension OrgSettings {
    var records: RecordSettings {
        get { recordSettings ?? RecordSettings() }
        set { recordSettings = newValue }
    }
}
