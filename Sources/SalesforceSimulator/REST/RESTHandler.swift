import Foundation

/// `/services/data`: versions, describe, queries, records, collections, replication, limits (wire reference 2).
struct RESTHandler: FamilyHandler {
    let request: SimRequest

    /// What follows `/services/data/v{v}`.
    var resource: [String] { Array(request.segments.dropFirst(3)) }

    var version: String { String(request.segments.count > 2 ? request.segments[2].dropFirst() : "") }

    /// The body as JSON, parsed once.
    private let parsed: Result<JSON, JSONParser.Failure>?

    init(request: SimRequest) {
        self.request = request
        guard !request.body.isEmpty, ["POST", "PATCH", "PUT"].contains(request.method) else {
            parsed = nil
            return
        }
        do { parsed = .success(try JSONParser.parse(request.body)) } catch {
            parsed = .failure(error as? JSONParser.Failure ?? JSONParser.Failure(message: "unreadable", offset: 0))
        }
    }

    func body() throws -> JSON {
        guard let parsed else { throw APIError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.") }
        switch parsed {
        case .success(let value): return value
        case .failure(let failure): throw APIError(400, "JSON_PARSER_ERROR", "\(failure.message) at [line:1, column:\(failure.offset + 1)]")
        }
    }

    /// - Parameter version: What addresses in the answer begin with.
    static func refusal(_ error: APIError, version: String = "") -> Reply {
        var entry: JSON = ["message": .string(error.message), "errorCode": .string(error.code)]
        if !error.fields.isEmpty { entry.set("fields", .texts(error.fields)) }
        if let duplicate = error.duplicate { entry.set("duplicateResult", duplicate.json(version: version)) }
        var reply = Reply.json(error.status, [entry])
        if !error.allowedMethods.isEmpty { reply.headers.append(("Allow", error.allowedMethods.joined(separator: ", "))) }
        if error.status == 401 { reply.headers.append(("WWW-Authenticate", "Token")) }
        return reply
    }

    func refusal(_ error: APIError) -> Reply { RESTHandler.refusal(error, version: version).prettyPrinted(for: request) }

    // MARK: What is asked

    func describe() -> CallDescription {
        let parts = resource.map { $0.lowercased() }
        var call = CallDescription(.rest, "unknown", version: version)
        guard request.segments.count > 2 else {
            call.operation = "versions"
            return call
        }
        let method = request.method
        switch (parts.first, parts.count) {
        case (nil, _): call.operation = "resources"
        case ("query", _): call.operation = parts.count > 1 ? "queryMore" : "query"
        case ("queryall", _): call.operation = parts.count > 1 ? "queryMore" : "queryAll"
        case ("limits", _): call.operation = "limits"
        case ("sobjects", 1): call.operation = "describeGlobal"
        case ("sobjects", 2): call.operation = method == "POST" ? "create" : "basicInfo"
        case ("sobjects", 3):
            call.operation = switch parts[2] {
            case "describe": "describe"
            case "updated": "getUpdated"
            case "deleted": "getDeleted"
            default: recordOperation(method)
            }
        case ("sobjects", _): call.operation = method == "PATCH" ? "upsert" : recordOperation(method)
        case ("composite", 1): call.operation = "composite"
        case ("composite", 2) where parts[1] == "batch": call.operation = "batch"
        case ("composite", 3) where parts[1] == "tree": call.operation = "tree"
        case ("composite", _) where parts[1] == "sobjects":
            call.operation = switch (method, parts.count) {
            case ("POST", 2): "create"
            case ("PATCH", 2): "update"
            case ("DELETE", _): "delete"
            case ("PATCH", _): "upsert"
            default: "retrieve"
            }
        default: break
        }
        if parts.first == "sobjects", parts.count > 1 { call.object = resource[1] }
        if parts.first == "composite", parts.count > 2 { call.object = resource[2] }
        if call.operation == "upsert", resource.count > 3 { call.key = resource.first?.lowercased() == "composite" ? resource[3] : resource[2] }
        readRecords(into: &call)
        if call.operation.hasPrefix("query"), let text = request.query["q"] { call.object = RESTHandler.queriedObject(text) }
        return call
    }

    /// The word after FROM; good enough to match faults by, parsed properly later.
    static func queriedObject(_ query: String) -> String? {
        let words = query.split(whereSeparator: \.isWhitespace)
        guard let from = words.firstIndex(where: { $0.uppercased() == "FROM" }), from + 1 < words.endIndex else { return nil }
        return String(words[from + 1])
    }

    private func recordOperation(_ method: String) -> String {
        switch method {
        case "PATCH": "update"
        case "DELETE": "delete"
        case "POST": "create"
        default: "retrieve"
        }
    }

    private func readRecords(into call: inout CallDescription) {
        guard case .success(let body)? = parsed else {
            if call.operation == "delete", let ids = request.query["ids"] { call.ids = ids.split(separator: ",").map(String.init) }
            return
        }
        if resource.first?.lowercased() == "composite" {
            call.records = body["records"]?.elements.map { RESTRecord.input($0, type: nil) } ?? []
            call.ids = body["ids"]?.elements.compactMap(\.string) ?? []
            call.object = call.object ?? call.records.first?.type
        } else if ["create", "update", "upsert"].contains(call.operation), let type = call.object {
            var record = RESTRecord.input(body, type: type)
            if call.operation == "update", resource.count > 2 { record.id = resource[2] }
            call.records = [record]
        }
        call.recordCount = call.records.count
    }

    // MARK: The answer

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        context.options = CallOptions(request)
        return try route(&call, &context).prettyPrinted(for: request)
    }

    private func route(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        if call.operation == "versions" { return .json(200, versions(context)) }
        guard request.segments.count > 2, request.segments[2].first == "v" else { throw APIError.notFound() }
        try context.checkVersion(version)
        try context.authenticate(request.bearerToken)
        call.user = context.user
        try ResourceAvailability.check(resource, method: request.method, version: version)
        try checkMediaType()
        context.options = CallOptions(request)
        if request.headers["sforce-auto-assign"] == nil, !context.state.settings.records.restAssignsByDefault {
            context.options.assignmentRule = .none
        }
        call.options = context.options
        switch call.operation {
        case "resources": return .json(200, resources(context))
        case "limits": return .json(200, LimitsDocument.json(context.state))
        case "describeGlobal":
            return unlessUnchanged(context) {
                Describe.global(context.state.objects(for: context.user), version: version)
            }
        case "describe":
            let object = try object(resource[1], context)
            return unlessUnchanged(context) { Describe.object(object, all: context.state.objects(for: context.user), version: version) }
        case "basicInfo":
            return .json(200, ["objectDescribe": .object(Describe.entry(try object(resource[1], context), version: version)), "recentItems": []])
        case "query", "queryAll", "queryMore": return try query(&call, context)
        case "getUpdated", "getDeleted": return try replication(&call, context)
        case "composite": return .json(200, try CompositeCall(request: request, version: version, document: try body(), context: context).composite())
        case "batch": return .json(200, try CompositeCall(request: request, version: version, document: try body(), context: context).batch())
        case "tree": return try RecordTree(document: try body(), context: context).save(try object(resource[2], context))
        case _ where resource.first?.lowercased() == "composite": return try collection(&call, context)
        case "create", "update", "upsert", "delete", "retrieve": return try record(&call, context)
        default: throw APIError.notFound()
        }
    }

    /// The answer, refusals included.
    func reply(_ call: inout CallDescription, _ context: inout CallContext) -> Reply {
        do { return try answer(&call, &context) } catch { return refusal(of: error) }
    }

    /// Only JSON is read here. Parts of a composite call have no type of their own.
    private func checkMediaType() throws {
        let type = request.contentType
        guard !request.body.isEmpty, !type.isEmpty, type != "application/json" else { return }
        throw APIError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type \(type) is not supported: send application/json")
    }

    /// A describe document, or 304 when nothing has changed since the client's `If-Modified-Since` (wire reference 2.5).
    private func unlessUnchanged(_ context: CallContext, _ document: () -> JSON) -> Reply {
        let changed = context.state.definitionsChanged
        if let since = request.headers["if-modified-since"].flatMap({ TimeText.parseHTTP($0) }), changed <= since { return Reply(304) }
        var reply = Reply.json(200, document())
        reply.headers.append(("Last-Modified", TimeText.http(changed)))
        return reply
    }

    /// A path that names an unknown object leads nowhere; only a query calls that INVALID_TYPE.
    func object(_ name: String, _ context: CallContext) throws -> ObjectDefinition {
        guard let object = context.state.object(name, for: context.user) else { throw APIError.notFound() }
        return object
    }

    private func versions(_ context: CallContext) -> JSON {
        .array(context.state.settings.versions.map { version in
            ["label": .string(RESTHandler.releaseName(version)), "url": .string("/services/data/v\(version)"), "version": .string(version)]
        })
    }

    /// Three releases a year: 59.0 is Winter '24.
    static func releaseName(_ version: String) -> String {
        let number = (Int(version.split(separator: ".").first ?? "") ?? 59) - 59
        let turn = ((number % 3) + 3) % 3
        let year = 24 + (number - turn) / 3
        return ["Winter", "Spring", "Summer"][turn] + " '\(year)"
    }

    private func resources(_ context: CallContext) -> JSON {
        let base = "/services/data/v\(version)/"
        var members = ResourceAvailability.roots(version).map { JSON.Member(key: $0, value: .string(base + $0)) }
        members.append(JSON.Member(
            key: "identity", value: .string("\(request.baseURL)/id/\(context.state.settings.organizationId)/\(context.user)")))
        return .object(members)
    }
}
