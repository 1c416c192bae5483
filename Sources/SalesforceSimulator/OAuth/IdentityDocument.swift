import GRDB

/// userinfo and identity URLs: who the bearer of a token is (wire reference 1.7).
struct IdentityDocument {
    let request: SimRequest
    /// True for `/id/{org}/{user}`, whose keys are named otherwise.
    let isIdentity: Bool

    static func address(_ user: String, _ request: SimRequest, _ state: OrgState) -> String {
        "\(request.baseURL)/id/\(state.settings.organizationId)/\(user)"
    }

    func answer(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        guard let token = request.bearerToken ?? request.query["oauth_token"] else { return .text(403, "Missing_OAuth_Token") }
        guard let user = try Sessions.user(of: token, context.state, context.db),
            let row = try Row.fetchOne(context.db, sql: "SELECT * FROM \"User\" WHERE Id = ?", arguments: [user])
        else { return .text(403, "Bad_OAuth_Token") }
        call.user = user
        let organization = context.state.settings.organizationId
        if isIdentity, request.segments.count > 1, RecordIdentifier.normalized(request.segments[1]) != organization {
            return .text(403, "Wrong_Org")
        }
        func text(_ name: String) -> JSON { .text(row[name]) }
        let name = [row["FirstName"] as String?, row["LastName"]].compactMap(\.self).joined(separator: " ")
        let base = context.state.instance.url(for: request)
        let picture = base + "/profilephoto/005/F", thumbnail = base + "/profilephoto/005/T"
        let modified: Int64 = row["LastModifiedDate"] ?? 0
        let address = IdentityDocument.address(user, request, context.state)
        var members: [(String, JSON)] = isIdentity
            ? [
                ("id", .string(address)), ("asserted_user", true), ("user_id", .string(user)), ("organization_id", .string(organization)),
                ("username", text("Username")), ("nick_name", text("Username")), ("display_name", .string(name)), ("email", text("Email")),
                ("email_verified", true), ("first_name", text("FirstName")), ("last_name", text("LastName")), ("timezone", "GMT"),
                ("photos", ["picture": .string(picture), "thumbnail": .string(thumbnail)]), ("addr_street", nil), ("addr_city", nil),
                ("addr_state", nil), ("addr_country", nil), ("addr_zip", nil), ("mobile_phone", nil),
                ("status", ["created_date": nil, "body": nil]), ("last_modified_date", .string(TimeText.rest(modified))),
            ]
            : [
                ("sub", .string(address)), ("user_id", .string(user)), ("organization_id", .string(organization)),
                ("preferred_username", text("Username")), ("nickname", text("Username")), ("name", .string(name)), ("email", text("Email")),
                ("email_verified", true), ("given_name", text("FirstName")), ("family_name", text("LastName")), ("zoneinfo", "GMT"),
                ("photos", ["picture": .string(picture), "thumbnail": .string(thumbnail)]), ("profile", .string(base + "/" + user)),
                ("picture", .string(picture)), ("address", [:]), ("updated_at", .string(TimeText.zulu(modified))),
            ]
        members += [
            ("urls", urls(base, user, String(organization.prefix(15)))), ("active", .bool(row["IsActive"] ?? true)), ("user_type", "STANDARD"),
            ("language", "en_US"), ("locale", "en_US"), ("utcOffset", 0), ("is_app_installed", true),
        ]
        return .json(200, .object(members.map { JSON.Member(key: $0.0, value: $0.1) }))
    }

    /// Addresses with the literal text `{version}` in them.
    private func urls(_ base: String, _ user: String, _ organization: String) -> JSON {
        let data = base + "/services/data/v{version}/"
        let entries: [(String, String)] = [
            ("enterprise", base + "/services/Soap/c/{version}/" + organization), ("metadata", base + "/services/Soap/m/{version}/" + organization),
            ("partner", base + "/services/Soap/u/{version}/" + organization), ("rest", data), ("sobjects", data + "sobjects/"),
            ("search", data + "search/"), ("query", data + "query/"), ("recent", data + "recent/"),
            ("tooling_soap", base + "/services/Soap/T/{version}/" + organization), ("tooling_rest", data + "tooling/"), ("profile", base + "/" + user),
            ("feeds", data + "chatter/feeds"), ("groups", data + "chatter/groups"), ("users", data + "chatter/users"),
            ("feed_items", data + "chatter/feed-items"), ("feed_elements", data + "chatter/feed-elements"), ("custom_domain", base),
        ]
        return .object(entries.map { JSON.Member(key: $0.0, value: .string($0.1)) })
    }
}
