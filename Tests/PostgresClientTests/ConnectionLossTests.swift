import PostgresClient
import TestSupport
import Testing

@Suite("connection loss", .timeLimit(.minutes(1)))
struct ConnectionLossTests {
    @Test("a terminated server process is a connection loss with its SQLSTATE")
    func terminated() async throws {
        try await withSession { session async throws in
            let pid = await session.backendProcessID
            let task = Task { try await session.query("SELECT pg_sleep(50)") }
            try await withSession { other async throws in
                #expect(try await eventually {
                    try await other.queryValue(
                        "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1", [.int(pid)], as: Bool.self) ?? false
                })
                try await other.query("SELECT pg_terminate_backend($1)", [.int(pid)])
            }
            let error = await postgresError { _ = try await task.value }
            #expect(error?.code == .connectionLost)
            #expect(error?.sqlState == "57P01")
            #expect(error?.isConnectionLoss == true && error?.isTransient == true)
            let next = await postgresError { try await session.query("SELECT 1") }
            #expect(next?.code == .connectionClosed)
        }
    }

    @Test("a COPY whose connection breaks ends with the loss")
    func duringCopy() async throws {
        try await withSession { session async throws in
            let pid = await session.backendProcessID
            try await session.execute("CREATE TEMP TABLE c (v text)")
            let error = try await withSession { other async throws in
                await postgresError {
                    var pieces = 0
                    _ = try await session.copyIn("COPY c FROM STDIN") {
                        pieces += 1
                        if pieces == 2 { try await other.query("SELECT pg_terminate_backend($1)", [.int(pid)]) }
                        return pieces < 500 ? [UInt8](repeating: 0x61, count: 65_535) + [0x0A] : nil
                    }
                }
            }
            #expect(error?.isConnectionLoss == true)
            #expect(await session.isClosed)
        }
    }

    @Test("reconnecting waits for a server that is down, and reports each failure")
    func reconnects() async throws {
        let cluster = try await ThrowawayCluster()
        let session = try await PostgresSession.connect(cluster.conninfo(overTCP: true))
        try await cluster.kill()
        let lost = await postgresError { try await session.query("SELECT pg_sleep(5)") }
        #expect(lost?.isConnectionLoss == true)

        let failures = Counter()
        async let connected = PostgresSession.connectPersistently(
            cluster.conninfo(overTCP: true), backoff: Backoff(base: .milliseconds(20), cap: .milliseconds(100))
        ) { error, wait in
            failures.increment()
            if !error.isTransient || wait > .milliseconds(100) { Issue.record("\(error) \(wait)") }
        }
        #expect(try await eventually { failures.value >= 2 })
        try await cluster.start()
        let second = try await connected
        #expect(try await second.queryValue("SELECT 1", as: Int.self) == 1)
        await second.close()
        try await cluster.remove()
    }

    @Test("reconnecting heeds a cancellation, and does not wait for what no waiting mends")
    func reconnectEnds() async throws {
        let task = Task { try await PostgresSession.connectPersistently("host=127.0.0.1 port=1") }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()   // without it, this would go on for ever
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        let malformed = await postgresError { _ = try await PostgresSession.connectPersistently("nonsense") }
        #expect(malformed?.code == .badConnectionString)
    }

    @Test("waits double up to the cap and are spread over their whole range")
    func backoff() {
        var backoff = Backoff()
        var generator = SystemRandomNumberGenerator()
        var limits: [Duration] = []
        for _ in 0..<8 {
            limits.append(backoff.upperLimit)
            let wait = backoff.next(using: &generator)
            #expect(wait >= .zero && wait <= limits.last ?? .zero)
        }
        #expect(limits == [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].map { Duration.milliseconds($0) })
        let waits = (0..<200).map { _ in backoff.next(using: &generator) }
        #expect(waits.contains { $0 < .seconds(3) } && waits.contains { $0 > .seconds(7) })
        backoff.reset()
        #expect(backoff.upperLimit == .milliseconds(200))
    }
}
