internal import Foundation

/// How a connection stands, as `hc_status` tells it.
public struct StatusDocument: Decodable, Sendable {
    public struct Mapping: Decodable, Sendable {
        public struct Load: Decodable, Sendable {
            public var step: String
            public var rows: Int
            public var expected: Int?
        }

        public var mapping: String
        public var object: String
        public var table: String
        public var access: String
        public var state: String
        public var stateDetail: String?
        public var load: Load?

        private enum CodingKeys: String, CodingKey {
            case mapping, object, table, access, state, load
            case stateDetail = "state_detail"
        }
    }

    /// How the org's API quota stands; nil before Salesforce has reported it.
    public struct Quota: Decodable, Sendable {
        public struct OfMapping: Decodable, Sendable {
            public var calls: Int
            public var maximum: Int
        }

        public var used: Int
        public var maximum: Int
        public var reserve: Int
        public var callsPerHour: Int
        public var reserveReachedAt: String?
        public var waiting: String?
        /// By object, of the org's day.
        public var mappings: [String: OfMapping]

        private enum CodingKeys: String, CodingKey {
            case used, maximum, reserve, waiting, mappings
            case callsPerHour = "calls_per_hour"
            case reserveReachedAt = "reserve_reached_at"
        }
    }

    public var connection: String
    public var schema: String
    public var state: String
    public var stateDetail: String?
    public var epoch: Int
    public var leader: String?
    /// Log entries by state.
    public var log: [String: Int]
    public var oldestUnsentSeconds: Double?
    public var held: Int
    /// Open batches by state.
    public var batches: [String: Int]
    public var inDoubt: Int
    /// Rows whose answer is stored and not written back yet.
    public var waitingRows: Int
    public var staged: Int
    public var notifications: Int
    /// The used fraction of each sequence's numbers.
    public var sequences: [String: Double]?
    public var quota: Quota?
    public var mappings: [Mapping]

    private enum CodingKeys: String, CodingKey {
        case connection, schema, state, epoch, leader, log, held, batches, staged, notifications, sequences, quota, mappings
        case stateDetail = "state_detail"
        case oldestUnsentSeconds = "oldest_unsent_seconds"
        case inDoubt = "in_doubt"
        case waitingRows = "waiting_rows"
    }

    /// Reads the document that `hc_status` returns.
    /// - Throws: ``RelayError`` for a shape that this relay does not know.
    public init(_ json: String) throws {
        self = try RelaySession.decode(json, as: StatusDocument.self, from: "hc_status")
    }
}
