import GRDB

extension ControlCalls {
    /// `/_sim/streaming`: clients and channels as they are, lost clients, lost events, gaps.
    func streaming() throws -> JSON {
        switch (request.method, path.dropFirst().first, path.count) {
        case ("GET", nil, _): break
        case ("DELETE", "clients", 2): for id in state.streaming.clients.keys { state.streaming.forget(id, .forgotten) }
        case ("DELETE", "clients", 3):
            guard state.streaming.clients[path[2]] != nil else { throw APIError.notFound("no client \(path[2])") }
            state.streaming.forget(path[2], .forgotten)
        case ("DELETE", "events", 2): return ["purged": .int(try EventStore.purge(request.query["channel"], db))]
        case ("POST", "gap", 2): try gap(try body())
        default: throw APIError.notFound("CONTROL.md names no \(request.method) of /_sim/\(path.joined(separator: "/"))")
        }
        return try streamingStatus()
    }

    private func gap(_ body: JSON) throws {
        let object = try object(try required(body, "object"))
        let kind = (body["kind"]?.string ?? "UPDATE").uppercased()
        guard ["CREATE", "UPDATE", "DELETE", "UNDELETE", "OVERFLOW"].contains(kind) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "kind must be CREATE, UPDATE, DELETE, UNDELETE or OVERFLOW")
        }
        let ids = body["ids"]?.elements.compactMap(\.string) ?? []
        guard kind == "OVERFLOW" || !ids.isEmpty else { throw APIError(400, "MISSING_ARGUMENT", "ids is required") }
        try ChangeEvents(state: state, db: db).appendGap(object, ids: ids, kind: kind, user: try actor(body))
    }

    private func streamingStatus() throws -> JSON {
        state.streaming.forgetIdle(at: state.machineNow)
        let clients = state.streaming.clients.values.sorted { $0.id < $1.id }.map { client -> JSON in
            [
                "clientId": .string(client.id), "user": .string(client.user), "version": .string(client.version),
                "connected": .bool(client.hasConnected), "waiting": .bool(client.held != nil),
                "subscriptions": .texts(client.subscriptions.keys.map(\.name).sorted()),
            ]
        }
        var channels = try Row.fetchAll(
            db, sql: "SELECT channel, COUNT(*), MIN(position), MAX(position) FROM sim_event GROUP BY channel ORDER BY channel"
        ).map { row in try channel(row[0], row[1], row[2], row[3]) }
        if let row = try Row.fetchOne(
            db, sql: "SELECT COUNT(*), MIN(position), MAX(position) FROM sim_event WHERE kind = 'change' HAVING COUNT(*) > 0") {
            channels.append(try channel(StreamChannel.allChangesName, row[0], row[1], row[2]))
        }
        let delivered = StreamChannel.Kind.allCases.map { kind in
            JSON.Member(key: kind.rawValue, value: .int(state.streaming.deliveredToday(kind, at: state.now)))
        }
        return ["clients": .array(clients), "channels": .array(channels), "delivered": .object(delivered)]
    }

    private func channel(_ name: String, _ count: Int, _ first: Int64, _ last: Int64) throws -> JSON {
        // A topic that is gone still has its events, and its replay ids go by its name.
        let channel = StreamChannel.find(name, topics: try state.pushTopics(db), state) ?? .topic(String(name.dropFirst("/topic/".count)))
        return [
            "channel": .string(name), "events": .int(count), "firstReplayId": .int(channel.replayId(at: first)),
            "lastReplayId": .int(channel.replayId(at: last)),
        ]
    }
}
