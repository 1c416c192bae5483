public import HTTPTransport
public import SalesforceAPI

/// What a relay needs to know before it starts.
public struct RelayConfiguration: Sendable {
    /// Where the database is: a URI or keywords, as libpq takes them; several hosts are tried in turn.
    public var databaseURL: String
    /// Shown as the leader of a connection, such as `host:4711`.
    public var holder: String
    /// Where fences are kept, outside the database; nil: nowhere.
    public var stateDirectory: String?
    public var salesforce: SalesforceAccess
    /// Loads of one connection that run at the same time, 1 or 2: with them a connection uses at most six sessions.
    public var loadConcurrency: Int
    /// Records in one page of a bulk result, and so in one COPY transaction.
    public var bulkPageSize: Int
    public var timing: RelayTiming

    public init(
        databaseURL: String, holder: String, stateDirectory: String? = nil, salesforce: SalesforceAccess, loadConcurrency: Int = 2, bulkPageSize: Int = 50_000,
        timing: RelayTiming = RelayTiming()
    ) {
        self.databaseURL = databaseURL
        self.holder = holder
        self.stateDirectory = stateDirectory
        self.salesforce = salesforce
        self.loadConcurrency = loadConcurrency
        self.bulkPageSize = bulkPageSize
        self.timing = timing
    }
}

/// How the relay reaches Salesforce.
public struct SalesforceAccess: Sendable {
    /// For every connection that has none of its own; nil when none are set.
    public var credentials: Credentials?
    /// `apiVersion` is replaced by the connection's own where it has one.
    public var client: SalesforceClientConfiguration
    public var http: HTTPClient

    public init(credentials: Credentials?, client: SalesforceClientConfiguration, http: HTTPClient) {
        self.credentials = credentials
        self.client = client
        self.http = http
    }
}

/// The relay's own rhythm. Everything that decides about data is timed by the database's clock instead.
public struct RelayTiming: Sendable {
    /// Between two signs of life on the leading session; the database ends a leader that is silent for 8 s.
    public var heartbeat: Duration
    /// Between two attempts of a standby to lead, and between two looks at the list of connections.
    public var standby: Duration
    /// The longest wait between two looks at the log: a lost notification costs no more.
    public var probe: Duration
    /// Between two looks of a leader at the identity of its database, each of which leaves a new fence there: an older state of
    /// the database is noticed if it is older than this.
    public var fence: Duration
    /// The longest time that may pass between marking a batch as sent and writing its request.
    public var sentMarkValidity: Duration
    /// Between two progress lines of a load.
    public var progress: Duration
    /// The longest wait before the database is tried again.
    public var backoffCap: Duration

    public init(
        heartbeat: Duration = .seconds(2), standby: Duration = .seconds(1), probe: Duration = .seconds(10),
        fence: Duration = .seconds(60),
        sentMarkValidity: Duration = .seconds(5), progress: Duration = .seconds(2), backoffCap: Duration = .seconds(5)
    ) {
        self.heartbeat = heartbeat
        self.standby = standby
        self.probe = probe
        self.fence = fence
        self.sentMarkValidity = sentMarkValidity
        self.progress = progress
        self.backoffCap = backoffCap
    }
}
