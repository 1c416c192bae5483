import Foundation
import GRDB

/// `/_sim/`: what a test does to the org from outside. CONTROL.md describes each resource.
struct ControlRouter: Sendable {
    let org: Org

    func answer(_ request: SimRequest) async throws -> Reply {
        try await org.perform { state, db in
            do {
                return .json(200, try ControlCalls(request: request, state: state, db: db).answer())
            } catch let error as APIError {
                return RESTHandler.refusal(error)
            } catch let error as RecordError {
                return RESTHandler.refusal(APIError(400, error.code, error.message, fields: error.fields))
            } catch let failure as JSONParser.Failure {
                return RESTHandler.refusal(APIError(400, "JSON_PARSER_ERROR", "\(failure.message) at offset \(failure.offset)"))
            } catch let error as DatabaseError {
                return RESTHandler.refusal(APIError(500, "DATABASE", error.message ?? "SQLite error \(error.resultCode.rawValue)"))
            }
        }
    }
}

struct ControlCalls {
    let request: SimRequest
    let state: OrgState
    let db: Database

    /// What follows `/_sim`.
    var path: [String] { Array(request.segments.dropFirst()) }

    func body() throws -> JSON { request.body.isEmpty ? [:] : try JSONParser.parse(request.body) }

    func answer() throws -> JSON {
        // Triggers that name a column would keep it from going.
        if path.first == "objects", request.method != "GET" { try state.readLag.suspend(db) }
        switch (request.method, path.first ?? "", path.count) {
        case ("GET", "", _): return status()
        case ("POST", "objects", 1): return try createObject(try body())
        case ("GET", "objects", 1): return .array(state.objects.map { ["name": .string($0.name), "keyPrefix": .text($0.keyPrefix)] })
        case (_, "objects", 3...): return try changeObject()
        case (_, "records", 2...): return try records()
        case ("POST", "generate", 1): return try RecordGenerator(state: state, db: db).generate(try body())
        case ("GET", "calls", 1): return .array(state.calls.matching(request.query).map(\.json))
        case ("DELETE", "calls", 1):
            state.calls.reset()
            return ["total": 0]
        case ("GET", "counts", 1): return ["total": .int(state.calls.total), "counts": state.calls.counts()]
        case (_, "faults", _): return try faults()
        case (_, "plan", 1): return try plan()
        case ("GET", "invariants", 1): return try invariants()
        case ("DELETE", "invariants", 1):
            state.history = WriteHistory()
            return [:]
        case (_, "sessions", 1): return try sessions()
        case (_, "instance", 1): return try instance()
        case ("POST", "refresh-tokens", 1): return try refreshToken(try body())
        case (_, "clock", 1): return try clock()
        case (_, "transactions", _): return try transactions()
        case (_, "settings", 1): return try settings()
        case ("POST", "apps", 1): return try app(try body())
        case ("POST", "users", 1): return try user(try body())
        case (_, "permissions", 1): return try permissions()
        case (_, "streaming", _): return try streaming()
        case (_, "recycle-bin", _), (_, "delete-log", _): return try recycleBin()
        case ("DELETE", "cursors", 1):
            state.cursors.closeAll()
            return [:]
        default: throw APIError.notFound("CONTROL.md names no \(request.method) of /_sim/\(path.joined(separator: "/"))")
        }
    }

    private func status() -> JSON {
        [
            "organizationId": .string(state.settings.organizationId), "now": .string(TimeText.zulu(state.now)),
            "objects": .int(state.objects.count), "calls": .int(state.calls.total), "usedRequests": .int(state.usedRequests),
        ]
    }

    func required(_ body: JSON, _ key: String) throws -> String {
        guard let text = body[key]?.string, !text.isEmpty else { throw APIError(400, "MISSING_ARGUMENT", "\(key) is required") }
        return text
    }

    func object(_ name: String) throws -> ObjectDefinition {
        guard let object = state.object(name) else { throw APIError.unknownType(name) }
        return object
    }

    /// The user a control call acts as: the administrator, unless it names another.
    func actor(_ body: JSON) throws -> String {
        let name = body["user"]?.string ?? SampleOrg.administrator
        guard let id = try Sessions.userId(name, db) else { throw APIError(400, "NO_SUCH_USER_EXISTS", "no user \(name)") }
        return id
    }

    // MARK: Clock, transactions, settings

    private func clock() throws -> JSON {
        if request.method == "POST" {
            let body = try body()
            if let offset = body["offsetSeconds"]?.int { state.clock.offset = Int64(offset) * 1_000 }
            if let advance = body["advanceSeconds"]?.int { state.clock.offset += Int64(advance) * 1_000 }
            if let text = body["now"]?.string {
                guard let instant = TimeText.parseDateTime(text) else { throw APIError(400, "INVALID_DATE_FORMAT", "now is no date and time") }
                state.clock.offset += instant - state.now
            }
        }
        return ["now": .string(TimeText.zulu(state.now)), "offsetSeconds": .int(state.clock.offset / 1_000)]
    }

    private func transactions() throws -> JSON {
        if request.method == "POST", path.count == 3, let id = Int(path[1]) {
            guard let pending = state.openTransactions.take(id: id) else { throw APIError.notFound("no open transaction \(id)") }
            try state.end(pending, commits: path[2] == "release", db)
        } else if request.method == "POST", path.count == 1 {
            // A transaction that writes nothing still holds back the horizon.
            let id = state.openTransactions.hold(stamp: state.stamp, due: nil) { _, _, _ in }
            return ["transaction": .int(id)]
        }
        return .array(state.openTransactions.pending.map {
            ["id": .int($0.id), "stamp": .string(TimeText.zulu($0.stamp)), "due": .text($0.due.map { TimeText.zulu($0) })]
        })
    }

    private func settings() throws -> JSON {
        if request.method == "PATCH" || request.method == "POST" {
            let body = try body()
            if let value = body["dailyRequests"]?.int { state.settings.dailyRequests = value }
            if let value = body["usedRequests"]?.int { state.usedRequests = value }
            if let value = body["sessionSeconds"]?.int { state.settings.sessionSeconds = value }
            if let value = body["bulkDelayMilliseconds"]?.int { state.settings.bulkDelayMilliseconds = value }
            if let value = body["bulkPageRecords"]?.int { state.settings.bulkPageRecords = max(1, value) }
            if let value = body["queryPageRecords"]?.int { state.settings.queryPageRecords = max(1, value) }
            if let oauth = body["oauth"] { changeOAuth(oauth) }
            if let service = body["service"] {
                state.settings.service.apply(service)
                state.service.reseed(state.settings.service.seed)
            }
            for member in body["limits"]?.members ?? [] { state.settings.otherLimits[member.key] = member.value.int }
            if let soap = body["soap"] { state.settings.soap.apply(soap) }
            if let query = body["query"] { state.settings.query.apply(query) }
            if let bulk = body["bulk"] { state.settings.bulk.apply(bulk) }
            if let versions = body["versions"]?.elements.compactMap(\.string) { state.settings.versions = versions }
            try changeRecordSettings(body)
            try state.streaming.settings.change(body, state)
            try state.streaming.settings.save(db)
            try state.saveSettings(db)
        }
        let settings = state.settings
        return ([
            "dailyRequests": .int(settings.dailyRequests), "usedRequests": .int(state.usedRequests),
            "sessionSeconds": .int(settings.sessionSeconds), "bulkDelayMilliseconds": .int(settings.bulkDelayMilliseconds),
            "bulkPageRecords": .int(settings.bulkPageRecords), "queryPageRecords": .int(settings.queryPageRecords),
            "limits": .object(settings.otherLimits.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: .int($0.value)) }),
            "versions": .texts(settings.versions), "soap": settings.soap.json, "query": settings.query.json, "oauth": oauthSettings,
            "service": settings.service.json,
            "bulk": settings.bulk.json,
        ] as JSON).adding(recordSettings).adding(state.streaming.settings.json)
    }
}
