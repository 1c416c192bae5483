extension ControlCalls {
    /// The part of `/_sim/settings` that saves go by.
    func changeRecordSettings(_ body: JSON) throws {
        var settings = state.settings.records
        if let flag = body["restAssignsByDefault"]?.bool { settings.restAssignsByDefault = flag }
        if let count = body["recycleBinRecords"] { settings.recycleBinRecords = count.int.map { max(0, $0) } }
        if let count = body["deleteLogRecords"] { settings.deleteLogRecords = count.int.map { max(0, $0) } }
        if let seconds = body["limitsLagSeconds"]?.int { settings.limitsLagSeconds = max(0, seconds) }
        for member in body["usedLimits"]?.members ?? [] { settings.usedLimits[member.key] = member.value.int }
        if settings != state.settings.records { state.settings.records = settings }
    }

    var recordSettings: [JSON.Member] {
        let settings = state.settings.records
        let used = settings.usedLimits.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: .int($0.value)) }
        return [
            JSON.Member(key: "restAssignsByDefault", value: .bool(settings.restAssignsByDefault)),
            JSON.Member(key: "recycleBinRecords", value: settings.recycleBinRecords.map { .int($0) } ?? .null),
            JSON.Member(key: "deleteLogRecords", value: settings.deleteLogRecords.map { .int($0) } ?? .null),
            JSON.Member(key: "limitsLagSeconds", value: .int(settings.limitsLagSeconds)), JSON.Member(key: "usedLimits", value: .object(used)),
        ]
    }
}

extension JSON {
    /// The object with more members at its end.
    func adding(_ members: [Member]) -> JSON { .object(self.members + members) }
}
