import Foundation
import GRDB

/// The messages of one request, in their order; a connect comes last, since it may have to wait.
struct BayeuxCalls {
    let request: SimRequest
    let version: String
    let state: OrgState
    let db: Database
    /// Whose token came with the request.
    private(set) var user: String?
    private var cookies: [String] = []

    init(request: SimRequest, version: String, state: OrgState, db: Database) {
        self.request = request
        self.version = version
        self.state = state
        self.db = db
    }

    /// The channels that a message names.
    static func channels(of message: JSON) -> [String] {
        switch message["subscription"] {
        case .string(let name)?: [name]
        case .array(let names)?: names.compactMap(\.string)
        default: []
        }
    }

    mutating func answer(_ messages: [JSON]) throws -> Reply {
        state.streaming.forgetIdle(at: state.machineNow)
        var replies: [String] = []
        var connect: JSON?
        for message in messages {
            if message["channel"]?.string == "/meta/connect", connect == nil {
                connect = message
            } else {
                replies.append(try answer(message).text)
            }
        }
        var reply = Reply.bayeux(replies)
        if let connect {
            do { reply = try self.connect(connect, earlier: replies) } catch let error as BayeuxError {
                reply = .bayeux(replies + [BayeuxReply.failure(connect, error).text])
            }
        }
        reply.headers += cookies.map { ("Set-Cookie", $0) }
        return reply
    }

    private mutating func answer(_ message: JSON) throws -> JSON {
        do {
            switch message["channel"]?.string {
            case "/meta/handshake": return try handshake(message)
            case "/meta/subscribe": return try subscribe(message)
            case "/meta/unsubscribe":
                var client = try client(of: message)
                let names = Set(BayeuxCalls.channels(of: message))
                client.subscriptions = client.subscriptions.filter { !names.contains($0.key.name) }
                state.streaming.clients[client.id] = client
                return BayeuxReply.success(message, clientId: client.id)
            case "/meta/disconnect":
                let id = try client(of: message).id
                state.streaming.forget(id, .disconnected)
                return BayeuxReply.success(message, clientId: id)
            default:
                _ = try client(of: message)
                throw BayeuxError.publishDenied
            }
        } catch let error as BayeuxError {
            return BayeuxReply.failure(message, error)
        }
    }

    // MARK: Who calls

    private mutating func authenticated() throws -> (user: String, token: String) {
        guard let token = request.bearerToken else { throw BayeuxError.noToken }
        guard let user = try Sessions.streamingUser(of: token, state, db) else { throw BayeuxError.deadSession }
        self.user = user
        return (user, token)
    }

    /// The client that a message is from: it shows a live token of its user, and its cookies as they were given.
    private mutating func client(of message: JSON) throws -> BayeuxClient {
        let id = message["clientId"]?.string ?? ""
        let caller: (user: String, token: String)
        do { caller = try authenticated() } catch let error as BayeuxError {
            state.streaming.forget(id, .unauthorized)
            throw error
        }
        guard var client = state.streaming.clients[id], client.user == caller.user, StreamingCookies.match(client.cookies, request, state) else {
            throw BayeuxError.unknownClient
        }
        client.token = caller.token
        state.streaming.clients[id] = client
        return client
    }

    // MARK: Messages

    private mutating func handshake(_ message: JSON) throws -> JSON {
        do { _ = try authenticated() } catch let error as BayeuxError { throw BayeuxError.handshakeDenied(error.text) }
        let caller = try authenticated()
        if let least = message["minimumVersion"]?.string.flatMap({ Double($0) }), least > 1 { throw BayeuxError.unsupportedVersion }
        guard state.streaming.clients.count < state.streamingClientAllocation else {
            throw BayeuxError.handshakeDenied("403::Organization concurrent user limit exceeded")
        }
        let (expected, toSet) = StreamingCookies.make(request)
        cookies = toSet
        let id = StreamingCookies.randomText(25)
        state.streaming.clients[id] = BayeuxClient(
            id: id, user: caller.user, token: caller.token, version: version, cookies: expected, seenAt: state.machineNow)
        var reply: JSON = [
            "ext": BayeuxReply.handshakeExtension, "minimumVersion": "1.0", "clientId": .string(id),
            "supportedConnectionTypes": ["long-polling"], "channel": "/meta/handshake",
        ]
        if let sent = message["id"]?.string { reply.set("id", .string(sent)) }
        reply.set("version", "1.0")
        reply.set("successful", true)
        return reply
    }

    private mutating func connect(_ message: JSON, earlier: [String]) throws -> Reply {
        var client = try client(of: message)
        if let ticket = client.held { state.streaming.connects.wake(ticket, .superseded) }
        client.held = nil
        client.seenAt = state.machineNow
        defer { if state.streaming.clients[client.id] != nil { state.streaming.clients[client.id] = client } }
        let events = try BayeuxDelivery.collect(&client, state, db)
        let isFirst = !client.hasConnected
        client.hasConnected = true
        if isFirst || !events.isEmpty || message["advice"]?["timeout"]?.int == 0 {
            let reply = isFirst
                ? BayeuxReply.connect(client.id, message["id"], advice: BayeuxReply.advice(state.streaming.settings))
                : BayeuxReply.connect(client.id, message["id"])
            return .bayeux(earlier + events + [reply.text])
        }
        let ticket = state.streaming.connects.reserve()
        client.held = ticket
        var reply = Reply.bayeux([])
        reply.held = HeldConnect(
            ticket: ticket, clientId: client.id, milliseconds: state.streaming.settings.holdMilliseconds, messageId: message["id"], earlier: earlier)
        return reply
    }

    private mutating func subscribe(_ message: JSON) throws -> JSON {
        let client = try client(of: message)
        let names = BayeuxCalls.channels(of: message)
        guard !names.isEmpty else { throw BayeuxError(text: "400::The subscription is missing") }
        try EventStore.expire(state, db)
        let topics = try state.pushTopics(db)
        var added: [StreamChannel: Int64] = [:]
        for name in names {
            guard let channel = StreamChannel.find(name, topics: topics, state) else { throw BayeuxError.noChannel(name) }
            guard mayRead(channel, client.user, topics) else { throw BayeuxError.subscribeDenied }
            added[channel] = try start(of: channel, name, message["ext"]?["replay"])
        }
        state.streaming.clients[client.id]?.subscriptions.merge(added) { _, new in new }
        if let ticket = client.held, try added.contains(where: { try EventStore.has($0.key, after: $0.value, db) }) {
            state.streaming.connects.wake(ticket, .events)
        }
        return BayeuxReply.success(message, clientId: client.id)
    }

    private func mayRead(_ channel: StreamChannel, _ user: String, _ topics: [String: PushTopic]) -> Bool {
        switch channel {
        case .allChanges: true
        case .changes(let object): state.object(object, for: user) != nil
        case .topic(let name): topics[name].flatMap { state.object($0.object, for: user) } != nil
        }
    }

    /// The place after which events are delivered (wire reference 5.3).
    private func start(of channel: StreamChannel, _ name: String, _ replay: JSON?) throws -> Int64 {
        guard let replay, replay != .null, replay != .bool(true) else { return try EventStore.lastPosition(db) }
        guard let wanted = replay[name] else { throw BayeuxError.missingReplay(name, map: replay.members) }
        switch wanted.int {
        case -1: return try EventStore.lastPosition(db)
        case -2: return 0
        case let id?:
            guard let position = channel.position(of: Int64(id)), try EventStore.has(channel, at: position, db) else {
                throw BayeuxError.invalidReplay(wanted.string ?? wanted.text)
            }
            return position
        case nil: throw BayeuxError.invalidReplay(wanted.string ?? wanted.text)
        }
    }
}

extension OrgState {
    /// CometD clients at one time (wire reference 5.6).
    var streamingClientAllocation: Int { settings.otherLimits["DurableStreamingApiConcurrentClients"] ?? 2_000 }
}

extension Sessions {
    /// The user of a live token. Streaming does not prolong a session: its token ends under a connect that waits (wire reference 5.4).
    static func streamingUser(of token: String, _ state: OrgState, _ db: Database) throws -> String? {
        try find(token, state, db, touches: false)?.user
    }
}
