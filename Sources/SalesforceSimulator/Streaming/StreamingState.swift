import GRDB

/// The CometD side of the org: its clients, what was delivered today, the topics.
struct StreamingState {
    var settings = StreamingSettings()
    /// By client id. A restart forgets them all, as Salesforce's own restarts do.
    var clients: [String: BayeuxClient] = [:]
    /// The connects that wait; they hold no place on the org.
    let connects = HeldConnects()
    /// The PushTopics by name; nil when they must be read again.
    var topics: [String: PushTopic]?
    private var delivered: [StreamChannel.Kind: Int] = [:]
    private var dayBegan: Int64 = 0

    static let day: Int64 = 24 * 3_600_000

    // MARK: Allocations

    /// Events delivered in the running 24 h, which begin with the first delivery.
    func deliveredToday(_ kind: StreamChannel.Kind, at now: Int64) -> Int {
        now - dayBegan < StreamingState.day ? delivered[kind] ?? 0 : 0
    }

    mutating func countDelivered(_ kind: StreamChannel.Kind, _ count: Int, at now: Int64) {
        if now - dayBegan >= StreamingState.day || now < dayBegan {
            delivered = [:]
            dayBegan = now
        }
        delivered[kind, default: 0] += count
    }

    // MARK: Clients

    /// Drops clients whose last connect was answered too long ago.
    mutating func forgetIdle(at now: Int64) {
        let window = Int64(settings.reconnectMilliseconds)
        clients = clients.filter { _, client in client.held != nil || now - client.seenAt <= window }
    }

    /// Ends a client; a connect of its that waits is answered.
    mutating func forget(_ id: String, _ wake: HeldConnects.Wake) {
        guard let client = clients.removeValue(forKey: id), let ticket = client.held else { return }
        connects.wake(ticket, wake)
    }
}

/// A client from its handshake until it goes silent.
struct BayeuxClient {
    var id: String
    var user: String
    /// The access token it was last seen with.
    var token: String
    var version: String
    /// Cookies that have to come back exactly.
    var cookies: [String: String]
    /// True after the first connect, which is answered at once.
    var hasConnected = false
    /// By channel, the place in the log of the last event delivered.
    var subscriptions: [StreamChannel: Int64] = [:]
    /// The connect that waits.
    var held: Int?
    /// When its last connect was answered, on the machine's clock.
    var seenAt: Int64
}

extension OrgState {
    /// The allocation of a kind of events; a control call may set it under `limits`.
    func streamingAllocation(_ kind: StreamChannel.Kind) -> Int { settings.otherLimits[kind.limit.name] ?? kind.limit.standard }

    func streamingRemaining(_ kind: StreamChannel.Kind) -> Int {
        max(0, streamingAllocation(kind) - streamingUse(of: kind.limit.name) - (settings.recordSettings?.usedLimits[kind.limit.name] ?? 0))
    }

    /// What is used of a streaming allocation; 0 for every other.
    func streamingUse(of limit: String) -> Int {
        if limit == "DurableStreamingApiConcurrentClients" { return streaming.clients.count }
        return StreamChannel.Kind.allCases.first { $0.limit.name == limit }.map { streaming.deliveredToday($0, at: now) } ?? 0
    }

    /// Reads the topics if a change has made them old.
    func pushTopics(_ db: Database) throws -> [String: PushTopic] {
        if let topics = streaming.topics { return topics }
        let topics = try PushTopic.load(self, db)
        streaming.topics = topics
        return topics
    }
}
