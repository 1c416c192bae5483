/// What differs between orgs and releases in the partner API.
struct SOAPSettings: Codable, Sendable, Equatable {
    /// The last API version with login(); nil offers it in all (wire reference 3.3).
    var lastLoginVersion: String? = "64.0"

    /// Whether fixed elements must stand where the schema has them; nil means that they must (wire reference 3.1). Clients that are
    /// used against real orgs send names to clear after the fields, and `id` for the ids of a delete.
    var enforcesElementOrder: Bool?

    var checksOrder: Bool { enforcesElementOrder ?? true }

    func offersLogin(_ version: String) -> Bool {
        guard let last = lastLoginVersion.flatMap({ Double($0) }), let asked = Double(version) else { return true }
        return asked <= last
    }

    /// Takes what a control call sets.
    mutating func apply(_ body: JSON) {
        if let last = body["lastLoginVersion"] { lastLoginVersion = last.string }
        if let flag = body["enforcesElementOrder"]?.bool { enforcesElementOrder = flag }
    }

    var json: JSON { ["lastLoginVersion": .text(lastLoginVersion), "enforcesElementOrder": .bool(checksOrder)] }
}

extension OrgSettings {
    var soap: SOAPSettings {
        get { soapSettings ?? SOAPSettings() }
        set { soapSettings = newValue }
    }
}
