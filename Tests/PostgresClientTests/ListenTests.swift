import PostgresClient
import TestSupport
import Testing

@Suite("LISTEN", .timeLimit(.minutes(1)))
struct ListenTests {
    struct Ended: Error {}

    @Test("a notification of another session wakes an idle listener")
    func wakes() async throws {
        try await withSession { session async throws in
            try await withSession { other async throws in
                try await session.listen("salesforce.hc_trigger_log") { wakes in
                    var iterator = wakes.makeAsyncIterator()
                    for _ in 1...3 {
                        try await other.query("SELECT pg_notify('salesforce.hc_trigger_log', 'ping')")
                        #expect(try await iterator.next() != nil)
                    }
                }
                #expect(try await session.queryValue("SELECT count(*) FROM pg_listening_channels()", as: Int.self) == 0)
            }
        }
    }

    @Test("many notifications are one wake-up, and other channels none")
    func coalesces() async throws {
        try await withSession { session async throws in
            try await withSession { other async throws in
                let wakeCount = try await session.listen("mine") { wakes in
                    for n in 1...50 {
                        try await other.query("SELECT pg_notify('mine', $1), pg_notify('Mine', $1)", [.text("\(n)")])
                    }
                    // A statement on the listening session has read everything before it returns.
                    try await session.query("SELECT 1")
                    let counter = Counter()
                    let reader = Task { for try await _ in wakes { counter.increment() } }
                    try await Task.sleep(for: .milliseconds(200))
                    reader.cancel()
                    _ = try? await reader.value
                    return counter.value
                }
                #expect(wakeCount == 1)
            }
        }
    }

    @Test("UNLISTEN follows an error and a cancellation too")
    func unlistens() async throws {
        try await withSession { session async throws in
            await #expect(throws: Ended.self) { try await session.listen("a") { _ in throw Ended() } }
            let task = Task { try await session.listen("b") { _ in try await Task.sleep(for: .seconds(50)) } }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await session.queryValue("SELECT pg_listening_channels()", as: String.self) == "b")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await session.queryValue("SELECT pg_listening_channels()", as: String.self) == nil)
        }
    }

    @Test("a lost connection ends the wake-ups with an error")
    func connectionLost() async throws {
        try await withSession { session async throws in
            let pid = await session.backendProcessID
            try await withSession { other async throws in
                let error = await postgresError {
                    try await session.listen("c") { wakes in
                        try await other.query("SELECT pg_terminate_backend($1)", [.int(pid)])
                        for try await _ in wakes {}
                    }
                }
                #expect(error?.code == .connectionLost)
                #expect(await session.isClosed)
            }
        }
    }
}
