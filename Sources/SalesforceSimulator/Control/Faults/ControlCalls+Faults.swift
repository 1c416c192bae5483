extension ControlCalls {
    /// `/_sim/faults`
    func faults() throws -> JSON {
        switch (request.method, path.count) {
        case ("GET", 1): return .array(state.faults.faults.map(\.json))
        case ("DELETE", 1):
            state.faults.removeAll()
            return []
        case ("DELETE", 2):
            state.faults.remove(id: Int(path[1]) ?? 0)
            return .array(state.faults.faults.map(\.json))
        case ("POST", 1): return state.faults.add(try Fault(try body())).json
        default: throw APIError.notFound()
        }
    }

    /// `/_sim/plan`
    func plan() throws -> JSON {
        switch request.method {
        case "POST": state.plan = try FaultPlan(try body())
        case "DELETE": state.plan = nil
        case "GET": break
        default: throw APIError.notFound()
        }
        return state.plan?.json ?? .null
    }
}
