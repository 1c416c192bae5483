/// What a session adds to its connection string. What the string says itself wins.
public struct SessionOptions: Sendable {
    /// How soon each end notices that the other has vanished without closing the connection. TCP only.
    public struct Keepalives: Sendable, Hashable {
        /// Silence before the first probe, and the time between probes; at least one second, in whole seconds.
        public var idle: Duration
        public var interval: Duration
        /// Unanswered probes after which the connection is dead.
        public var count: Int

        public init(idle: Duration = .seconds(30), interval: Duration = .seconds(10), count: Int = 3) {
            self.idle = idle
            self.interval = interval
            self.count = count
        }

        /// Loss is noticed within ten seconds, for sessions whose locks others wait for.
        public static let tight = Keepalives(idle: .seconds(4), interval: .seconds(2), count: 3)

        /// The time after which unacknowledged data means the same.
        var patience: Duration { idle + interval * count }
    }

    public var applicationName: String
    /// For each host of the connection string; at least two seconds, in whole seconds.
    public var connectTimeout: Duration
    public var keepalives: Keepalives
    /// Set once after connecting, as `SET name = value` would; (`lock_timeout`, `5s`).
    public var settings: [(name: String, value: String)]

    public init(
        applicationName: String = "hc-sync",
        connectTimeout: Duration = .seconds(10),
        keepalives: Keepalives = Keepalives(),
        settings: [(name: String, value: String)] = []
    ) {
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.keepalives = keepalives
        self.settings = settings
    }

    /// Keywords of libpq in the order in which later ones win.
    func keywords(conninfo: String) -> [(name: String, value: String)] {
        [
            ("fallback_application_name", applicationName),
            ("connect_timeout", "\(connectTimeout.components.seconds)"),
            ("keepalives_idle", "\(max(1, keepalives.idle.components.seconds))"),
            ("keepalives_interval", "\(max(1, keepalives.interval.components.seconds))"),
            ("keepalives_count", "\(keepalives.count)"),
            ("tcp_user_timeout", "\(keepalives.patience.components.seconds * 1000)"),
            ("dbname", conninfo),
            ("client_encoding", "UTF8"),
        ]
    }

    /// What is set in the session: the server's own probes, then ``settings``.
    var sessionSettings: [(name: String, value: String)] {
        [
            ("tcp_keepalives_idle", "\(max(1, keepalives.idle.components.seconds))"),
            ("tcp_keepalives_interval", "\(max(1, keepalives.interval.components.seconds))"),
            ("tcp_keepalives_count", "\(keepalives.count)"),
            ("tcp_user_timeout", "\(keepalives.patience.components.seconds * 1000)"),
        ] + settings
    }
}
