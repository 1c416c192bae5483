import Foundation
import GRDB

/// The page at the simulator's root: a person looks at the org and changes records as the administrator.
struct RecordPage: Sendable {
    let org: Org

    static func serves(_ request: SimRequest) -> Bool { request.segments.isEmpty || request.segments.first == "page" }

    func answer(_ request: SimRequest) async throws -> Reply {
        guard RecordPage.isLocal(request) else { return .text(403, "This page is only for the machine it runs on, from its own address.") }
        return try await org.perform { state, db in
            let page = RecordPageCalls(request: request, state: state, db: db)
            do {
                return try page.answer()
            } catch let error as APIError {
                return page.html(error.status, "Refused", "<p role=\"alert\">\(HTML.escape("\(error.code): \(error.message)"))</p>")
            } catch let error as RecordError {
                return page.html(400, "Refused", "<p role=\"alert\">\(HTML.escape("\(error.code): \(error.message)"))</p>")
            }
        }
    }

    /// Another site's page must not post here, nor a name that was pointed at this machine read: Host and Origin are loopback's.
    static func isLocal(_ request: SimRequest) -> Bool {
        let host = request.headers["host"] ?? ""
        guard ["127.0.0.1", "localhost"].contains(host.split(separator: ":").first.map(String.init) ?? "") else { return false }
        if let site = request.headers["sec-fetch-site"], request.method != "GET", site != "same-origin", site != "none" { return false }
        return request.headers["origin"].map { $0 == "http://" + host } ?? true
    }
}

struct RecordPageCalls {
    let request: SimRequest
    let state: OrgState
    let db: Database

    func html(_ status: Int, _ title: String, _ body: String) -> Reply {
        var reply = Reply.text(status, HTML.page(title: title, "<nav><a href=\"/\">Org</a></nav><h1>\(HTML.escape(title))</h1>" + body), type: "text/html;charset=UTF-8")
        reply.headers += [("Cache-Control", "no-store"), ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")]
        return reply
    }

    func answer() throws -> Reply {
        let path = request.segments
        switch (request.method, path.count) {
        case ("GET", 0): return try overview()
        case ("GET", 2): return try list(try object(path[1]))
        case ("GET", 3): return try form(try object(path[1]), id: path[2] == "new" ? nil : path[2])
        case ("POST", 3): return try save(try object(path[1]), id: path[2] == "new" ? nil : path[2])
        default: throw APIError.notFound()
        }
    }

    private func object(_ name: String) throws -> ObjectDefinition {
        guard let object = state.object(name) else { throw APIError.unknownType(name) }
        return object
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        "<table><tr>" + head.map { "<th>\(HTML.escape($0))</th>" }.joined() + "</tr>"
            + rows.map { "<tr>" + $0.map { "<td>\($0)</td>" }.joined() + "</tr>" }.joined() + "</table>"
    }

    private func link(_ path: String, _ text: String) -> String { "<a href=\"\(HTML.escape(path))\">\(HTML.escape(text))</a>" }

    private func overview() throws -> Reply {
        let objects = try state.objects.map { object -> [String] in
            let living = object.field("IsDeleted") == nil ? "" : " WHERE IsDeleted = 0"
            let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(ObjectTable.quoted(object.name))\(living)") ?? 0
            return [link("/page/\(object.name)", object.name), HTML.escape(object.label), String(count)]
        }
        let calls = state.calls.entries.suffix(50).reversed().map { entry -> [String] in
            [String(entry.number), TimeText.zulu(entry.time), HTML.escape(entry.call.family.rawValue + "." + entry.call.operation),
             HTML.escape(entry.call.object ?? ""), String(entry.call.recordCount), entry.status == 0 ? "dropped" : String(entry.status),
             HTML.escape(entry.fault ?? ""), HTML.escape(entry.call.client ?? "")]
        }
        let sessions = try Sessions.all(state, db).prefix(50).map { session -> [String] in
            [HTML.escape(try userName(session.user)), HTML.escape(session.app ?? ""), TimeText.zulu(session.since), TimeText.zulu(session.expires)]
        }
        let resources = ["calls", "counts", "faults", "plan", "invariants", "transactions", "clock", "settings", "instance"]
        return html(200, state.settings.organizationName, """
            <p>\(HTML.escape(state.settings.organizationId)), \(TimeText.zulu(state.now)), \(state.usedRequests) of \(state.settings.dailyRequests) requests used.</p>
            <h2>Objects</h2>\(table(["Object", "Label", "Records"], objects))
            <h2>Recent calls</h2>\(table(["#", "Time", "Call", "Object", "Records", "Status", "Fault", "Client"], calls))
            <h2>Sessions</h2>\(table(["User", "App", "Since", "Until"], sessions))
            <h2>Control</h2><p>\(resources.map { link("/_sim/" + $0, "/_sim/" + $0) }.joined(separator: " · "))</p>
            """)
    }

    private func userName(_ id: String) throws -> String {
        try String.fetchOne(db, sql: "SELECT Username FROM \"User\" WHERE Id = ?", arguments: [id]) ?? id
    }

    /// The fields worth a column: what can be written, up to eight of them.
    private func shown(_ object: ObjectDefinition) -> [FieldDefinition] {
        Array(Array(object.fields).filter { !$0.isSystem && !$0.isCompound && $0.kind != .base64 }.prefix(8))
    }

    private func records(_ object: ObjectDefinition, _ fields: [FieldDefinition], where condition: String, limit: Int) throws -> [ResultRecord] {
        let order = object.field("SystemModstamp") == nil ? "Id" : "SystemModstamp DESC, Id DESC"
        let text = "SELECT \(fields.map(\.name).joined(separator: ", ")) FROM \(object.name)\(condition.isEmpty ? "" : " WHERE " + condition) ORDER BY \(order) LIMIT \(limit)"
        let plan = try QueryCompiler.compile(text, includesDeleted: false) { [state] in state.object($0) }
        return try QueryRunner.records(plan, rows: try QueryRunner.rowNumbers(plan, db)[...], db)
    }

    private func list(_ object: ObjectDefinition) throws -> Reply {
        let condition = request.query["where"] ?? ""
        let stamps = ["SystemModstamp"].compactMap { object.field($0) }
        let fields = shown(object) + stamps
        let idField = Array(object.fields).filter { $0.kind == .id }
        let rows = try records(object, idField + fields, where: condition, limit: 50).map { record -> [String] in
            [link("/page/\(object.name)/\(record.id ?? "")", record.id ?? "")] + record.fields.dropFirst().map { HTML.escape($0.1.plainText ?? "") }
        }
        return html(200, object.name, """
            <form><label>WHERE <input name="where" size="80" value="\(HTML.escape(condition))"></label> <button>Search</button></form>
            <p>\(link("/page/\(object.name)/new", "New record")), the latest 50:</p>\(table(["Id"] + fields.map(\.name), rows))
            """)
    }

    private func form(_ object: ObjectDefinition, id: String?) throws -> Reply {
        let fields = Array(object.fields).filter { !$0.isSystem && !$0.isCompound && $0.isStored && $0.autoNumberFormat == nil && $0.kind != .base64 && (id == nil ? $0.createable : $0.updateable) }
        var values: [String: String] = [:]
        if let id {
            guard let known = RecordIdentifier.normalized(id),
                let record = try records(object, fields, where: "Id = '\(known)'", limit: 1).first
            else { throw APIError.notFound("no such record") }
            for (name, value) in record.fields { values[name] = value.plainText }
        }
        let inputs = fields.map { field -> String in
            let value = HTML.escape(values[field.name] ?? "")
            let input = field.isLongText ? "<textarea name=\"\(field.name)\" rows=\"4\" cols=\"80\">\(value)</textarea>"
                : "<input name=\"\(field.name)\" size=\"60\" value=\"\(value)\">"
            return "<tr><th>\(HTML.escape(field.name))</th><td>\(input)</td><td>\(field.kind.rawValue)</td></tr>"
        }.joined()
        let delete = id == nil ? "" : " <button name=\"_action\" value=\"delete\">Delete</button>"
        return html(200, "\(object.name) \(id ?? "new")", """
            <form method="post"><table>\(inputs)</table><button name="_action" value="save">Save</button>\(delete)</form>
            <p>Saved as \(SampleOrg.administrator); only what differs is sent.</p>
            """)
    }

    private func save(_ object: ObjectDefinition, id: String?) throws -> Reply {
        let form = SimRequest.form(String(decoding: request.body, as: UTF8.self))
        guard let user = try Sessions.userId(SampleOrg.administrator, db) else { throw APIError.notFound("the org has no administrator") }
        let outcome: WriteOutcome?
        if form["_action"] == "delete", let id {
            outcome = try RecordRemover(state: state, db: db, user: user, stamp: state.stamp).delete([id]).first
        } else {
            let stored = try id.flatMap { id in
                try RecordIdentifier.normalized(id).flatMap { known in
                    try records(object, Array(object.fields).filter { form[$0.name] != nil }, where: "Id = '\(known)'", limit: 1).first
                }
            }
            var input = RecordInput(type: object.name, id: id, fields: [])
            for field in object.fields {
                // A form sends line ends as CR LF.
                guard let sent = form[field.name]?.replacing("\r\n", with: "\n") else { continue }
                let before = stored?.fields.first { $0.0 == field.name }?.1.plainText ?? ""
                if sent != before { input.fields.append(RecordInput.Field(name: field.name, input: sent.isEmpty ? .null : .text(sent))) }
            }
            let batch = RecordBatch(state: state, db: db, user: user, stamp: state.stamp)
            outcome = try batch.write(id == nil ? .create : .update, [input]).first
        }
        if let error = outcome?.error { throw error }
        return Reply(303, headers: [("Location", "/page/\(object.name)")])
    }
}
