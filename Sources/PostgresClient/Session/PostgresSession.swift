internal import CLibPQ
internal import HandleQueue

/// One connection to PostgreSQL and its only owner, on a queue of its own: statements may run for minutes, and block no
/// thread of Swift's cooperative pool.
///
/// Any number of tasks may use it; their statements run one after the other. A transaction, or a COPY, has it alone until it ends.
/// A session whose connection is lost stays lost: connect a new one (``connectPersistently(_:options:backoff:clock:onFailure:)``).
public actor PostgresSession: PostgresQueryable {
    nonisolated let executor: QueueExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let gate = SessionGate()
    nonisolated let cancelRequest: CancelRequest
    /// nil closes it.
    var connection: ConnectionHandle?
    var openTransaction: UInt64?
    var lastTransaction: UInt64 = 0
    var subscriptions: [UInt64: Subscription] = [:]
    var lastSubscription: UInt64 = 0
    var watch: SocketWatch?
    private var processID: Int32 = 0

    private init() throws(PostgresError) {
        guard let executor = QueueExecutor(label: "postgres.session") else {
            throw PostgresError(code: .couldNotConnect, serverMessage: "no file descriptors left")
        }
        self.executor = executor
        self.cancelRequest = CancelRequest(waking: executor.wake)
    }

    /// Connects.
    ///
    /// - Parameter conninfo: a URI or keywords, as libpq takes them; several hosts are tried in turn.
    /// - Throws: `badConnectionString`, `couldNotConnect`, or `cancelled` as soon as the task is cancelled; an attempt
    ///   under way then ends by itself within the connect timeout.
    public static func connect(
        _ conninfo: String, options: SessionOptions = SessionOptions()
    ) async throws(PostgresError) -> PostgresSession {
        let session = try PostgresSession()
        try await FirstAnswer.of { await session.open(conninfo, options) }
        return session
    }

    private func open(_ conninfo: String, _ options: SessionOptions) async -> Result<Void, PostgresError> {
        do throws(PostgresError) {
            connection = try ConnectionHandle(keywords: options.keywords(conninfo: conninfo), conninfo: conninfo)
            processID = connection?.processID ?? 0
            let settings = options.sessionSettings
            let calls = settings.indices.map { "pg_catalog.set_config($\(2 * $0 + 1), $\(2 * $0 + 2), false)" }
            _ = try await run { connection, interrupt throws(PostgresError) in
                try connection.query(
                    "SELECT " + calls.joined(separator: ", "), settings.flatMap { [.text($0.name), .text($0.value)] }, &interrupt)
            }
            return .success(())
        } catch {
            connection = nil
            return .failure(error)
        }
    }

    /// The server process of this connection as the connection itself was told: behind a pooler, not the one that
    /// `pg_backend_pid()` names.
    public var backendProcessID: Int32 { processID }

    /// `150020` for 15.20; 0 when closed.
    public var serverVersion: Int { connection?.serverVersion ?? 0 }

    public var isClosed: Bool { connection == nil }

    /// A setting that the server reports by itself, such as `server_version` or `in_hot_standby`.
    public func parameterStatus(_ name: String) -> String? {
        connection?.parameterStatus(name)
    }

    /// `identifier` in double quotes, safe to put into SQL.
    public func quoteIdentifier(_ identifier: String) throws(PostgresError) -> String {
        guard let quoted = try connection?.quoteIdentifier(identifier) else { throw PostgresError(code: .connectionClosed) }
        return quoted
    }

    /// Cancels the statement that runs now, if any; its caller gets `cancelled`. Callable from anywhere, returns at once.
    public nonisolated func cancel() {
        cancelRequest.make()
    }

    /// Closes the connection, after the statement that runs now.
    public func close() {
        lose(PostgresError(code: .connectionClosed))
    }

    /// Drops the connection and tells every listener why.
    func lose(_ reason: PostgresError) {
        watch = nil
        connection = nil
        for subscription in subscriptions.values { subscription.wakes.finish(throwing: reason) }
    }
}
