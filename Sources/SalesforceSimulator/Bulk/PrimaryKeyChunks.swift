import GRDB

/// PK chunking: a query cut into spans of ids (wire reference 4.1).
enum PrimaryKeyChunks {
    /// The standard objects that it works for; custom objects all do. Newer releases have more.
    private static let standard: Set<String> = [
        "Account", "Campaign", "CampaignMember", "Case", "Contact", "Lead", "LoginHistory", "Opportunity", "Task", "User",
    ]

    static let standardSize = 100_000
    static let largestSize = 250_000

    static func isSupported(_ object: ObjectDefinition) -> Bool { object.isCustom || standard.contains(object.name) }

    /// Spans of `size` record numbers, whether or not a record has each of them.
    static func ranges(_ object: ObjectDefinition, size: Int, start: String?, _ db: Database) throws -> [(from: String, to: String?)] {
        let table = ObjectTable.quoted(object.name)
        guard let lowest = try String.fetchOne(db, sql: "SELECT MIN(Id) FROM \(table)"),
            let highest = try String.fetchOne(db, sql: "SELECT MAX(Id) FROM \(table)"),
            let last = RecordIdentifier.number(of: highest)
        else { return [] }
        let first = start.flatMap { RecordIdentifier.normalized($0) } ?? lowest
        guard var number = RecordIdentifier.number(of: first) else { return [] }
        var ranges: [(from: String, to: String?)] = []
        while number <= last {
            let next = number + Int64(size)
            func id(_ number: Int64) -> String { String(RecordIdentifier.make(keyPrefix: RecordIdentifier.keyPrefix(of: highest), number: number).prefix(15)) }
            ranges.append((id(number), next <= last ? id(next) : nil))
            number = next
        }
        return ranges
    }
}

extension RecordIdentifier {
    private static let base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    /// The record number within an id; nil when it is none.
    static func number(of id: String) -> Int64? {
        var number: Int64 = 0
        for character in id.prefix(15).dropFirst(5) {
            guard let digit = base62.firstIndex(of: character) else { return nil }
            number = number * 62 + Int64(base62.distance(from: base62.startIndex, to: digit))
        }
        return number
    }
}
