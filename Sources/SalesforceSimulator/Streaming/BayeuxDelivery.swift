import GRDB

/// Takes events out of the log for a client, and wakes those that wait for them.
enum BayeuxDelivery {
    /// Bytes of events in one answer; an answer always holds at least one.
    private static let largestAnswer = 4_000_000

    /// The events that are due, oldest first, and the client moved past them.
    ///
    /// - Throws: ``BayeuxError`` when the allocation of its events is used up: the client is cut and may replay them another day.
    static func collect(_ client: inout BayeuxClient, _ state: OrgState, _ db: Database) throws -> [String] {
        var left: [StreamChannel.Kind: Int] = [:]
        for channel in client.subscriptions.keys { left[channel.kind] = state.streamingRemaining(channel.kind) }
        guard !left.values.contains(0) else {
            state.streaming.forget(client.id, .forgotten)
            throw BayeuxError.dailyLimit
        }
        var entries: [EventStore.Entry] = []
        let limit = state.streaming.settings.answerEvents
        for (channel, position) in client.subscriptions { entries += try EventStore.entries(channel, after: position, limit: limit, db) }
        entries.sort { ($0.position, $0.channel.name) < ($1.position, $1.channel.name) }
        guard !entries.isEmpty else { return [] }
        var visibility = EventVisibility(state, user: client.user, topics: try state.pushTopics(db))
        var messages: [String] = []
        var bytes = 0
        for entry in entries.prefix(limit) {
            let kind = entry.channel.kind
            guard let count = left[kind], count > 0 else { continue }
            guard messages.isEmpty || bytes + entry.body.utf8.count <= largestAnswer else { break }
            client.subscriptions[entry.channel] = entry.position
            guard let message = visibility.message(entry) else { continue }
            left[kind] = count - 1
            bytes += entry.body.utf8.count
            messages.append(message)
            state.streaming.countDelivered(kind, 1, at: state.now)
        }
        return messages
    }

    /// The answer to a connect that has waited; nil when nobody reads it.
    static func finish(_ held: HeldConnect, _ wake: HeldConnects.Wake, _ state: OrgState, _ db: Database) throws -> [String]? {
        let id = held.clientId
        func answer(_ reply: JSON) -> [String] { held.earlier + [reply.text] }
        switch wake {
        case .unauthorized: return answer(BayeuxReply.connect(id, held.messageId, .deadSession))
        case .forgotten: return answer(BayeuxReply.connect(id, held.messageId, .unknownClient))
        case .disconnected:
            return answer(BayeuxReply.connect(id, held.messageId, advice: BayeuxError.Advice.stop.json))
        case .superseded: return answer(BayeuxReply.connect(id, held.messageId, advice: BayeuxReply.advice(state.streaming.settings)))
        case .closed, .events, .timeout: break
        }
        guard var client = state.streaming.clients[id], client.held == held.ticket else {
            if wake == .closed { return nil }
            return answer(BayeuxReply.connect(id, held.messageId, advice: BayeuxReply.advice(state.streaming.settings)))
        }
        client.held = nil
        client.seenAt = state.machineNow
        state.streaming.clients[id] = client
        // Events stay in the log for the client's next connect.
        guard wake != .closed else { return nil }
        do {
            let events = try collect(&client, state, db)
            state.streaming.clients[id] = client
            return held.earlier + events + [BayeuxReply.connect(id, held.messageId).text]
        } catch let error as BayeuxError {
            return answer(BayeuxReply.connect(id, held.messageId, error))
        }
    }

    /// Wakes every connect that waits for a channel.
    ///
    /// - Parameter channels: those that have got events.
    static func wake(_ channels: Set<StreamChannel>, _ state: OrgState) {
        for client in state.streaming.clients.values {
            guard let ticket = client.held, client.subscriptions.keys.contains(where: channels.contains) else { continue }
            state.streaming.connects.wake(ticket, .events)
        }
    }

    /// Answers the connects whose token is dead, and forgets clients that have gone silent.
    static func revalidate(_ state: OrgState, _ db: Database) throws {
        for client in state.streaming.clients.values where client.held != nil {
            if try Sessions.streamingUser(of: client.token, state, db) == nil { state.streaming.forget(client.id, .unauthorized) }
        }
        state.streaming.forgetIdle(at: state.machineNow)
    }
}

/// Looks after connects that wait while nobody else calls the org: dead sessions, commits that are due.
struct StreamingKeeper: Sendable {
    let org: Org

    func run() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
            guard !org.connects.isEmpty else { continue }
            try? await org.perform { state, db in try BayeuxDelivery.revalidate(state, db) }
        }
    }
}
