/// Where the org lives: it can move to the simulator's second port, as an org moves to another instance (wire reference 1.1, 7.4).
struct InstanceMove: Sendable {
    /// What the address answers that the org has left.
    enum Farewell: String, Sendable, CaseIterable {
        case redirect, notOwned = "ORG_NOT_OWNED_BY_INSTANCE", session = "INVALID_SESSION_ID"
    }

    /// The ports it listens on; the first is the one clients begin with.
    var ports: [Int] = []
    /// The port it lives on since it moved; nil: it never did, and every port is its own.
    private(set) var home: Int?
    private(set) var farewell = Farewell.redirect

    /// - Returns: The new port.
    mutating func move(_ farewell: Farewell) -> Int? {
        guard let next = ports.first(where: { $0 != home ?? ports.first }) else { return nil }
        self.farewell = farewell
        home = next
        return next
    }

    /// `instance_url` of a token reply: the address the client came by until the org moves.
    func url(for request: SimRequest) -> String { home.map { "http://127.0.0.1:\($0)" } ?? request.baseURL }

    /// What is answered instead, when the request came to the old address. Logins are answered everywhere.
    func refusal(of request: SimRequest, _ call: CallDescription) -> Fault.Substitute? {
        guard let home, let port = request.localPort, port != home, call.family != .oauth, call.operation != "login" else { return nil }
        switch farewell {
        case .redirect: return .reply(Reply(301, headers: [("Location", url(for: request) + request.target)]))
        case .notOwned: return .error(APIError(400, "ORG_NOT_OWNED_BY_INSTANCE", "This organization is not on this instance"))
        case .session: return .error(.session)
        }
    }
}
