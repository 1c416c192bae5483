import Foundation
import GRDB

/// What the org's streaming does, kept beside the org's other settings.
struct StreamingSettings: Codable, Sendable, Equatable {
    /// Objects whose changes become change events; a new org has none selected (wire reference 5.7).
    var changeDataCapture: [String] = []
    /// Milliseconds that a connect is held while nothing happens (wire reference 5.4).
    var holdMilliseconds = 110_000
    /// Milliseconds without a connect after which a client is forgotten (wire reference 5.4).
    var reconnectMilliseconds = 40_000
    /// Clients that lose or change their cookies are unknown (wire reference 5.1).
    var checksCookies = true
    /// Changes of one transaction that say the same become one event with several record ids.
    var mergesChanges = true
    /// Changes to one object in a transaction; of those beyond only an overflow is told.
    var overflowRecords = 100_000
    /// A change event with a larger body is a gap: bytes.
    var largestEvent = 1_000_000
    /// Events that are kept at most, whatever their age.
    var keptEvents = 500_000
    /// Events of one answer.
    var answerEvents = 500

    private enum Name: String, CaseIterable {
        case hold = "streamingHoldMilliseconds", reconnect = "streamingReconnectMilliseconds", overflow = "streamingOverflowRecords"
        case largest = "streamingLargestEventBytes", kept = "streamingKeptEvents", answer = "streamingAnswerEvents"

        var path: WritableKeyPath<StreamingSettings, Int> {
            switch self {
            case .hold: \.holdMilliseconds
            case .reconnect: \.reconnectMilliseconds
            case .overflow: \.overflowRecords
            case .largest: \.largestEvent
            case .kept: \.keptEvents
            case .answer: \.answerEvents
            }
        }
    }

    /// Takes what a control call names.
    ///
    /// - Throws: INVALID_TYPE for an object that does not exist or has no change events.
    mutating func change(_ body: JSON, _ state: OrgState) throws {
        for name in Name.allCases { if let value = body[name.rawValue]?.int { self[keyPath: name.path] = max(1, value) } }
        if let flag = body["streamingChecksCookies"]?.bool { checksCookies = flag }
        if let flag = body["streamingMergesChanges"]?.bool { mergesChanges = flag }
        guard let names = body["changeDataCapture"] else { return }
        changeDataCapture = try names.elements.compactMap(\.string).map { name in
            guard let object = state.object(name) else { throw APIError.unknownType(name) }
            guard object.triggerable, object.queryable else { throw APIError(400, "INVALID_TYPE", "\(object.name) has no change events") }
            return object.name
        }
    }

    var json: [JSON.Member] {
        [JSON.Member(key: "changeDataCapture", value: .texts(changeDataCapture))]
            + Name.allCases.map { JSON.Member(key: $0.rawValue, value: .int(self[keyPath: $0.path])) }
            + [
                JSON.Member(key: "streamingChecksCookies", value: .bool(checksCookies)),
                JSON.Member(key: "streamingMergesChanges", value: .bool(mergesChanges)),
            ]
    }

    static func load(_ db: Database) throws -> StreamingSettings? {
        guard let text = try String.fetchOne(db, sql: "SELECT value FROM sim_setting WHERE name = 'streaming'") else { return nil }
        return try? JSONDecoder().decode(StreamingSettings.self, from: Data(text.utf8))
    }

    func save(_ db: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        try db.execute(sql: "INSERT OR REPLACE INTO sim_setting (name, value) VALUES ('streaming', ?)", arguments: [text])
    }
}
