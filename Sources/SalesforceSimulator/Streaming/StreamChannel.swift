/// A channel that clients subscribe to (wire reference 5.6, 5.7).
enum StreamChannel: Sendable, Hashable {
    /// `/topic/{Name}`: the notifications of a PushTopic.
    case topic(String)
    /// `/data/{Object}ChangeEvent`
    case changes(String)
    /// `/data/ChangeEvents`: the change events of every selected object.
    case allChanges

    static let allChangesName = "/data/ChangeEvents"

    /// Notifications of topics and change events have allocations and retentions of their own.
    enum Kind: String, Sendable, CaseIterable {
        case topic, change

        /// The allocation of delivered events in 24 h, by its name among the org's limits.
        var limit: (name: String, standard: Int) {
            switch self {
            case .topic: ("DailyDurableStreamingApiEvents", 1_000_000)
            case .change: ("DailyDeliveredPlatformEvents", 50_000)
            }
        }

        /// Milliseconds on the org's clock that an event can be replayed (wire reference 5.3).
        var retention: Int64 { (self == .topic ? 24 : 72) * 3_600_000 }
    }

    var kind: Kind {
        if case .topic = self { return .topic }
        return .change
    }

    var name: String {
        switch self {
        case .topic(let name): "/topic/\(name)"
        case .changes(let object): "/data/\(StreamChannel.eventName(of: object))"
        case .allChanges: StreamChannel.allChangesName
        }
    }

    /// `AccountChangeEvent`, for `Foo__c` `Foo__ChangeEvent`.
    static func eventName(of object: String) -> String {
        object.hasSuffix("__c") ? object.dropLast(1) + "ChangeEvent" : object + "ChangeEvent"
    }

    /// The channel of a name; nil when the org has none of that name. Names are matched with their case.
    ///
    /// - Parameter topics: the PushTopics there are, by name.
    static func find(_ name: String, topics: [String: PushTopic], _ state: OrgState) -> StreamChannel? {
        if name == allChangesName { return .allChanges }
        if name.hasPrefix("/topic/") {
            let topic = String(name.dropFirst("/topic/".count))
            return topics[topic].map { _ in .topic(topic) }
        }
        return state.objects.first { $0.triggerable && $0.queryable && "/data/" + eventName(of: $0.name) == name }.map { .changes($0.name) }
    }

    /// Where the channel's replay ids begin: ids of different channels have nothing to do with each other.
    var firstReplayId: Int64 {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        return Int64(hash % 9_000_000) + 1_000
    }

    func replayId(at position: Int64) -> Int64 { firstReplayId + 3 * position }

    /// The place in the log of a replay id; nil when the channel cannot have given it.
    func position(of replayId: Int64) -> Int64? {
        let distance = replayId - firstReplayId
        return distance > 0 && distance % 3 == 0 ? distance / 3 : nil
    }
}
