/// The three writes that carry records. Deletes carry ids only.
enum WriteOperation: Equatable {
    case create
    case update
    case upsert(externalIDField: String)

    var name: String {
        switch self {
        case .create: "create"
        case .update: "update"
        case .upsert: "upsert"
        }
    }

    /// `update of 12 Contact records`, without any of their data.
    func describe(_ records: [WriteRecord]) -> String { Self.describe(name, records.count, Set(records.map(\.objectType))) }

    static func describe(_ name: String, _ count: Int, _ types: Set<String>) -> String {
        let type = types.count == 1 ? types.first.map { $0 + " " } ?? "" : ""
        return "\(name) of \(count) \(type)record\(count == 1 ? "" : "s")"
    }
}

/// Limits on one call (API reference 3.5, 2.8).
enum CallLimits {
    static let recordsPerWrite = 200
    static let idsPerRetrieve = 2000
    static let typeChunks = 10
    static let requestBytes = 50_000_000
}
