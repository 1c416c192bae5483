/// What the database says is to be done for a connection (`hc_work`). A look, not a claim: each step decides again.
struct Work: Decodable, Sendable, Equatable {
    struct MappingItem: Decodable, Sendable, Equatable { var mapping: String }
    struct DescribeItem: Decodable, Sendable, Equatable {
        var mapping: String
        var object: String
        var names: [String]
    }
    struct DoubtItem: Decodable, Sendable, Equatable { var batch: Int }

    var state: String
    var paused: Bool
    /// Adopted mappings whose object is to be described before anything else.
    var describe: [DescribeItem]
    var loads: [MappingItem]
    var polls: [MappingItem]
    /// Mappings with staged records whose time has come.
    var staged: [String]
    /// Batches whose stored answer is not wholly applied.
    var apply: [Int]
    var doubts: [DoubtItem]
    var readBack: Bool
    var housekeeping: Bool
    /// Requests that may write at the same time.
    var lanes: Int
    /// Milliseconds until something is due by itself.
    var wait: Int

    private enum CodingKeys: String, CodingKey {
        case state, paused, describe, loads, polls, staged, apply, doubts, housekeeping, lanes
        case readBack = "read_back"
        case wait = "wait_ms"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        state = try values.decodeIfPresent(String.self, forKey: .state) ?? "IDLE"
        paused = try values.decodeIfPresent(Bool.self, forKey: .paused) ?? false
        describe = try values.decodeIfPresent([DescribeItem].self, forKey: .describe) ?? []
        loads = try values.decodeIfPresent([MappingItem].self, forKey: .loads) ?? []
        polls = try values.decodeIfPresent([MappingItem].self, forKey: .polls) ?? []
        staged = try values.decodeIfPresent([String].self, forKey: .staged) ?? []
        apply = try values.decodeIfPresent([Int].self, forKey: .apply) ?? []
        doubts = try values.decodeIfPresent([DoubtItem].self, forKey: .doubts) ?? []
        readBack = try values.decodeIfPresent(Bool.self, forKey: .readBack) ?? false
        housekeeping = try values.decodeIfPresent(Bool.self, forKey: .housekeeping) ?? false
        lanes = try values.decodeIfPresent(Int.self, forKey: .lanes) ?? 1
        wait = try values.decodeIfPresent(Int.self, forKey: .wait) ?? 1000
    }

    /// How long a lane that has nothing to do sleeps: never more than `probe`, never so little that it spins.
    func pause(probe: Duration) -> Duration { min(probe, max(.milliseconds(20), .milliseconds(wait))) }
}
