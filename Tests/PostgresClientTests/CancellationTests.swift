import PostgresClient
import Synchronization
import TestSupport
import Testing

@Suite("cancellation and blocking", .timeLimit(.minutes(1)))
struct CancellationTests {
    @Test("cancelling the task cancels the statement in the server, at once, and leaves the session usable")
    func cancelTask() async throws {
        try await withSession { session async throws in
            let pid = await session.backendProcessID
            let task = Task { try await session.query("SELECT pg_sleep(50)") }
            try await withSession { observer async throws in
                #expect(try await eventually { try await state(of: pid, observer) == "active" })
                let start = ContinuousClock.now
                task.cancel()
                let error = await postgresError { _ = try await task.value }
                #expect(error?.code == .cancelled)
                #expect(ContinuousClock.now - start < .seconds(25))
                #expect(try await state(of: pid, observer) == "idle")
            }
            #expect(try await session.queryValue("SELECT 1", as: Int.self) == 1)
        }
    }

    private func state(of pid: Int32, _ observer: PostgresSession) async throws -> String? {
        try await observer.queryValue("SELECT state FROM pg_stat_activity WHERE pid = $1", [.int(pid)], as: String.self)
    }

    @Test("cancel() ends the running statement only")
    func cancelSession() async throws {
        try await withSession { session async throws in
            session.cancel()
            #expect(try await session.queryValue("SELECT 1", as: Int.self) == 1)
            async let canceller: Void = {
                try await Task.sleep(for: .milliseconds(200))
                session.cancel()
            }()
            let error = await postgresError { try await session.query("SELECT pg_sleep(50)") }
            try await canceller
            #expect(error?.code == .cancelled)
            #expect(try await session.queryValue("SELECT 2", as: Int.self) == 2)
        }
    }

    @Test("a statement timeout is the server's error, not a cancellation")
    func statementTimeout() async throws {
        let options = SessionOptions(settings: [("statement_timeout", "100ms")])
        try await withSession(options: options) { session async throws in
            let error = await postgresError { try await session.query("SELECT pg_sleep(50)") }
            #expect(error?.code == .server)
            #expect(error?.sqlState == "57014")
        }
    }

    @Test("a task that waits for its turn can be cancelled; those behind it still get theirs")
    func cancelWaiting() async throws {
        try await withSession { session async throws in
            let busy = Task { try await session.query("SELECT pg_sleep(0.5)") }
            try await Task.sleep(for: .milliseconds(100))
            let waiting = Task { try await session.transaction { _ in 1 } }
            let behind = Task { try await session.transaction { try await $0.queryValue("SELECT 3", as: Int.self) } }
            try await Task.sleep(for: .milliseconds(100))
            waiting.cancel()
            let error = await postgresError { _ = try await waiting.value }
            #expect(error?.code == .cancelled)
            _ = try await busy.value
            #expect(try await behind.value == 3)
        }
    }

    @Test("connecting to a server that does not answer can be cancelled")
    func cancelConnecting() async throws {
        // Takes connections and says nothing.
        let silent = try await withSession { _ in try SilentServer() }
        let task = Task { try await PostgresSession.connect("host=127.0.0.1 port=\(silent.port) user=u connect_timeout=3") }
        try await Task.sleep(for: .milliseconds(200))
        task.cancel()
        let error = await postgresError { _ = try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test("twenty sleeping sessions leave the cooperative pool free")
    func poolIsFree() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let sessions = try await withThrowingTaskGroup(of: PostgresSession.self) { group in
            for _ in 0..<20 { group.addTask { try await PostgresSession.connect(cluster.conninfo()) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let start = ContinuousClock.now
        let longestGap = try await withThrowingTaskGroup(of: Void.self) { group in
            for session in sessions { group.addTask { try await session.query("SELECT pg_sleep(1)") } }
            let ticker = Task {
                var longest = Duration.zero
                var last = ContinuousClock.now
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(10))
                    longest = max(longest, ContinuousClock.now - last)
                    last = .now
                }
                return longest
            }
            try await group.waitForAll()
            ticker.cancel()
            return await ticker.value
        }
        let whole = ContinuousClock.now - start
        // One after another they would take twenty seconds; on a blocked pool of two, ten without a tick.
        #expect(whole >= .seconds(1) && whole < .seconds(8), "\(whole)")
        #expect(longestGap < .seconds(5), "\(longestGap)")
        for session in sessions { await session.close() }
    }
}
