import GRDB

/// What a handler works with during one call.
struct CallContext {
    let state: OrgState
    let db: Database
    /// The stamp of everything this call saves.
    let stamp: Int64
    var user = ""
    var options = CallOptions()
    var rejections: [Int: RecordError] = [:]

    init(state: OrgState, db: Database, stamp: Int64) {
        self.state = state
        self.db = db
        self.stamp = stamp
    }

    func countRequest() throws {
        guard state.usedRequests < state.settings.dailyRequests else {
            throw Fault.dailyLimit
        }
        state.usedRequests += 1
    }

    /// - Throws: INVALID_SESSION_ID unless the token is a live session's.
    mutating func authenticate(_ token: String?) throws {
        guard let token, let session = try Sessions.find(token, state, db) else {
            throw token.map(SignedToken.hasShape) == true ? APIError(401, "INVALID_AUTH_HEADER", "INVALID_JWT_FORMAT") : APIError.session
        }
        if let scope = session.scope, Set(scope.split(separator: " ")).isDisjoint(with: ["api", "full"]) {
            throw APIError(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
        }
        self.user = session.user
    }

    func checkVersion(_ version: String) throws {
        guard state.settings.versions.contains(version) else {
            if state.settings.service.retiredVersions.contains(version) {
                throw APIError(410, "UNSUPPORTED_API_VERSION", "The API version \(version) is no longer supported.")
            }
            if let number = Double(version), let oldest = state.settings.versions.compactMap(Double.init).min(), number < oldest {
                throw APIError(410, "UNSUPPORTED_API_VERSION", "The API version \(version) is no longer supported.")
            }
            throw APIError.notFound()
        }
    }

    func object(_ name: String) throws -> ObjectDefinition {
        guard let object = state.object(name, for: user) else { throw APIError.unknownType(name) }
        return object
    }

    func plan(_ query: String, includesDeleted: Bool) throws -> QueryPlan {
        try QueryCompiler.compile(query, includesDeleted: includesDeleted, schema: QuerySchema(state, for: user))
    }

    func batch(allOrNone: Bool, truncating: Bool = false) -> RecordBatch {
        RecordBatch(
            state: state, db: db, user: user, stamp: stamp, allOrNone: allOrNone, truncating: truncating, options: options, rejections: rejections)
    }

    func remover(allOrNone: Bool) -> RecordRemover {
        RecordRemover(state: state, db: db, user: user, stamp: stamp, allOrNone: allOrNone, rejections: rejections)
    }

    /// Records by id, deleted ones left out unless asked for; nil in the place of an unknown one.
    func retrieve(_ object: ObjectDefinition, fields: [String], ids: [String], includesDeleted: Bool = false) throws -> [ResultRecord?] {
        guard !fields.isEmpty else { throw APIError(400, "MALFORMED_QUERY", "no fields were named") }
        var plan = try plan("SELECT \(fields.joined(separator: ", ")) FROM \(object.name)", includesDeleted: includesDeleted)
        plan.condition += (plan.condition.isEmpty ? "" : " AND ") + "t0.Id = ?"
        let statement = try db.cachedStatement(sql: "SELECT " + plan.selection + plan.from + plan.filter)
        return try ids.map { sent in
            guard let id = RecordIdentifier.normalized(sent) else { return nil }
            return try Row.fetchOne(statement, arguments: StatementArguments(plan.arguments + [id.databaseValue]))
                .map { QueryRunner.record(plan, $0) }
        }
    }
}
