extension ControlCalls {
    func faults() throws -> JSON {
        switch (request.method, path.count) {
        case ("GET", 1): return .array(state.faults.faults.map(\.json))
        case ("DELETE", 1):
            state.faults.removeAll()
            return []
        case ("DELETE", 2):
            state.faults.remove(id: Int(path[1]) ?? 0)
            return .array(state.faults.faults.map(\.json))
        case ("POST", 1):
            let body = try body()
            guard let kind = Fault.Kind(rawValue: try required(body, "kind")) else {
                throw APIError(400, "INVALID_ARGUMENT_TYPE", "kind must be one of \(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            let match = body["match"] ?? [:]
            var fault = Fault(id: 0, kind: kind, match: Fault.Match(
                family: match["family"]?.string, operation: match["operation"]?.string, object: match["object"]?.string,
                method: match["method"]?.string, path: match["path"]?.string))
            fault.nth = body["nth"]?.int ?? 1
            fault.times = body["times"] == .null ? nil : body["times"]?.int ?? 1
            fault.milliseconds = body["milliseconds"]?.int ?? 0
            fault.waitsBefore = body["when"]?.string == "before"
            fault.status = body["status"]?.int
            fault.code = body["code"]?.string ?? (kind == .reject ? "FIELD_CUSTOM_VALIDATION_EXCEPTION" : "UNKNOWN_EXCEPTION")
            fault.message = body["message"]?.string ?? ""
            fault.fields = body["fields"]?.elements.compactMap(\.string) ?? []
            fault.record = body["record"]?.int ?? 0
            fault.fraction = body["fraction"]?.string.flatMap { Double($0) } ?? 0.5
            return state.faults.add(fault).json
        default: throw APIError.notFound()
        }
    }
}
