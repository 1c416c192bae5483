extension Fault {
    /// - Throws: When `kind` is none, or a member has no use for it.
    init(_ body: JSON) throws {
        guard let kind = body["kind"]?.string.flatMap({ Kind(rawValue: $0) }) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "kind must be one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.kind = kind
        let match = body["match"] ?? [:]
        self.match = Match(
            family: match["family"]?.string, operation: match["operation"]?.string, object: match["object"]?.string,
            method: match["method"]?.string, path: match["path"]?.string, value: match["value"]?.string)
        nth = body["nth"]?.int ?? 1
        times = body["times"] == .null ? nil : body["times"]?.int ?? 1
        milliseconds = body["milliseconds"]?.int ?? 0
        waitsBefore = body["when"]?.string == "before"
        worksFirst = body["when"]?.string == "after"
        status = body["status"]?.int
        code = body["code"]?.string ?? (kind == .reject ? "FIELD_CUSTOM_VALIDATION_EXCEPTION" : "UNKNOWN_EXCEPTION")
        message = body["message"]?.string ?? ""
        fields = body["fields"]?.elements.compactMap(\.string) ?? []
        rejected = RecordChoice(
            place: max(0, body["record"]?.int ?? 0), every: body["every"]?.int, field: body["where"]?["field"]?.string,
            value: body["where"]?["value"]?.string)
        fraction = body["fraction"]?.string.flatMap { Double($0) } ?? 0.5
        bytesPerSecond = body["bytesPerSecond"]?.int ?? 1_000
        endsAll = body["sessions"]?.string != "caller"
        user = body["user"]?.string
        overrides = body["values"] ?? [:]
        calls = try (body["calls"]?.elements ?? []).map { step in
            guard let path = step["path"]?.string else { throw APIError(400, "MISSING_ARGUMENT", "each of calls has a path, such as clock") }
            return ControlStep(method: step["method"]?.string ?? "POST", path: path, body: step["body"] ?? [:])
        }
    }
}
