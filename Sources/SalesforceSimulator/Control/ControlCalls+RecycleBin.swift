extension ControlCalls {
    /// `/_sim/recycle-bin` and `/_sim/delete-log`: what is deleted, and what is forgotten of it.
    func recycleBin() throws -> JSON {
        let bin = RecycleBin(state: state, db: db)
        let seconds = Int64(try body()["olderThanSeconds"]?.int ?? (path[0] == "delete-log" ? 7_200 : 0))
        let moment = state.now - seconds * 1_000
        switch (request.method, path) {
        case ("GET", ["recycle-bin"]), ("GET", ["delete-log"]): break
        case ("POST", ["recycle-bin", "purge"]): try bin.purge(deletedBefore: seconds == 0 ? .max : moment)
        case ("POST", ["delete-log", "trim"]): try bin.trimLog(before: moment)
        default: throw APIError.notFound("CONTROL.md names no \(request.method) of /_sim/\(path.joined(separator: "/"))")
        }
        return [
            "records": .int(try bin.count), "deleteLogStart": .text(state.settings.records.deleteLogStart.map { TimeText.zulu($0) }),
        ]
    }

    func recordType(_ body: JSON) throws -> ObjectDefinition.RecordType {
        let name = try required(body, "name")
        let users = try body["availableTo"].flatMap { $0 == .null ? nil : try $0.elements.map { try actor(["user": $0]) } }
        return ObjectDefinition.RecordType(
            id: "", name: name, developerName: body["developerName"]?.string ?? name.replacing(" ", with: "_"), active: body["active"]?.bool ?? true,
            isDefault: body["default"]?.bool ?? false, availableTo: users)
    }
}
