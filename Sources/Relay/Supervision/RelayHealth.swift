internal import Synchronization

/// What the relay does at the moment, for health checks.
public final class RelayHealth: Sendable {
    public enum Role: String, Sendable { case leads, standsBy, none }

    private struct State {
        var roles: [String: Role] = [:]
        var hasDatabase = false
    }

    private let state = Mutex(State())

    public init() {}

    func set(_ connection: String, _ role: Role) {
        state.withLock { $0.roles[connection] = role == .none ? nil : role }
    }

    func set(hasDatabase: Bool) { state.withLock { $0.hasDatabase = hasDatabase } }

    /// Roles by the connection's id; a connection that is neither led nor stood by for is not in it.
    public var roles: [String: Role] { state.withLock { $0.roles } }

    /// Whether the database answered when it was last asked, at most a few seconds ago.
    public var hasDatabase: Bool { state.withLock { $0.hasDatabase } }
}
