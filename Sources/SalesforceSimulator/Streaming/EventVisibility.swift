import Foundation

/// What one user sees of events: objects and fields that the user may not read are taken out at delivery.
struct EventVisibility {
    let state: OrgState
    let user: String
    private let topics: [String: PushTopic]
    /// By object, the paths of hidden fields; nil for an object that is hidden as a whole.
    private var hidden: [String: Set<String>?] = [:]

    init(_ state: OrgState, user: String, topics: [String: PushTopic]) {
        self.state = state
        self.user = user
        self.topics = topics
    }

    /// The message as the user may see it; nil when nothing of it may be seen.
    mutating func message(_ entry: EventStore.Entry) -> String? {
        guard let object = object(of: entry.stored) else { return entry.message }
        guard let paths = paths(object) else { return nil }
        guard !paths.isEmpty, var message = try? JSONParser.parse(Data(entry.message.utf8)), var data = message["data"] else { return entry.message }
        if let payload = data["payload"] { data.set("payload", EventVisibility.visible(payload, without: paths)) }
        if let sobject = data["sobject"] { data.set("sobject", .object(sobject.members.filter { !paths.contains($0.key) })) }
        message.set("data", data)
        return message.text
    }

    private func object(of channel: String) -> ObjectDefinition? {
        switch StreamChannel.find(channel, topics: topics, state) {
        case .changes(let name)?: state.object(name)
        case .topic(let name)?: topics[name].flatMap { state.object($0.object) }
        case .allChanges?, nil: nil
        }
    }

    private mutating func paths(_ object: ObjectDefinition) -> Set<String>? {
        if let known = hidden[object.name] { return known }
        var paths: Set<String>?
        if let seen = state.object(object.name, for: user) {
            let names = Set(seen.fields.map(\.name))
            paths = Set(object.fields.filter { !names.contains($0.name) }.map { ChangeEventPayload.path(of: $0).joined(separator: ".") })
        }
        hidden[object.name] = .some(paths)
        return paths
    }

    private static func visible(_ payload: JSON, without paths: Set<String>) -> JSON {
        let members = payload.members.compactMap { member -> JSON.Member? in
            if member.key == "ChangeEventHeader" {
                var header = member.value
                for list in ["nulledFields", "changedFields"] {
                    header.set(list, .array((header[list]?.elements ?? []).filter { !paths.contains($0.string ?? "") }))
                }
                return JSON.Member(key: member.key, value: header)
            }
            guard !paths.contains(member.key) else { return nil }
            guard case .object(let parts) = member.value else { return member }
            let left = parts.filter { !paths.contains(member.key + "." + $0.key) }
            return left.isEmpty ? nil : JSON.Member(key: member.key, value: .object(left))
        }
        return .object(members)
    }
}
