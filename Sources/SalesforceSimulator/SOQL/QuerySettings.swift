/// What differs between orgs and releases in queries; CONTROL.md describes each.
struct QuerySettings: Codable, Sendable, Equatable {
    /// Hours on the org's clock that a locator lasts; since 56.0 two days (wire reference 2.6).
    var locatorHours = 48
    /// Open results of one user, the oldest of which goes; nil since 56.0, 10 before.
    var openLocators: Int?
    /// Records of a page when a row has two or more long text or binary fields; nil leaves pages as they are (wire reference 2.6, 3.5).
    var wideRowRecords: Int? = 200
    /// Characters of formulas in one query before it is too complicated (wire reference 6.3).
    var formulaCharacters = 15_000

    /// Takes what a control call sets.
    mutating func apply(_ body: JSON) {
        if let value = body["locatorHours"]?.int { locatorHours = value }
        if let value = body["openLocators"] { openLocators = value.int }
        if let value = body["wideRowRecords"] { wideRowRecords = value.int }
        if let value = body["formulaCharacters"]?.int { formulaCharacters = value }
    }

    var json: JSON {
        [
            "locatorHours": .int(locatorHours), "openLocators": openLocators.map { .int($0) } ?? .null,
            "wideRowRecords": wideRowRecords.map { .int($0) } ?? .null, "formulaCharacters": .int(formulaCharacters),
        ]
    }
}

extension OrgSettings {
    var query: QuerySettings {
        get { querySettings ?? QuerySettings() }
        set { querySettings = newValue }
    }
}
