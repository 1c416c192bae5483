import PostgresClient
import TestSupport
import Testing

@Suite("COPY out", .timeLimit(.minutes(1)))
struct CopyOutTests {
    struct SinkFailed: Error {}

    @Test("every byte arrives once and in order, in whole lines")
    func everything() async throws {
        try await withSession { session async throws in
            var whole: [UInt8] = []
            var largest = 0, pieces = 0
            try await session.copyOut("COPY (SELECT g, 'line, ' || g FROM generate_series(1, 100000) g) TO STDOUT WITH (FORMAT csv)") { bytes in
                #expect(bytes.last == UInt8(ascii: "\n"))
                whole += bytes
                largest = max(largest, bytes.count)
                pieces += 1
            }
            #expect(whole == (1...100_000).flatMap { Array("\($0),\"line, \($0)\"\n".utf8) })
            #expect(pieces > 10)
            #expect(largest < 128 * 1024)
            // The session goes on.
            #expect(try await session.queryValue("SELECT 7", as: Int.self) == 7)
        }
    }

    @Test("the server waits for a slow sink")
    func slowSink() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP SEQUENCE produced")
            var pieces = 0
            await #expect(throws: SinkFailed.self) {
                // A megabyte a row, produced as it is read.
                try await session.copyOut("COPY (SELECT nextval('produced'), repeat('x', 1000000) FROM generate_series(1, 1000)) TO STDOUT") { _ in
                    pieces += 1
                    if pieces == 3 {
                        try await Task.sleep(for: .milliseconds(500))
                        throw SinkFailed()
                    }
                }
            }
            // Sequences do not roll back.
            let produced = try await session.queryValue("SELECT last_value FROM produced", as: Int.self)
            #expect((produced ?? 0) < 50)
        }
    }

    @Test("a sink that throws cancels the statement, and a transaction around it rolls back")
    func failingSink() async throws {
        try await withSession { session async throws in
            await #expect(throws: SinkFailed.self) {
                try await session.transaction { transaction in
                    try await transaction.copyOut("COPY (SELECT g FROM generate_series(1, 100000000) g) TO STDOUT") { _ in throw SinkFailed() }
                }
            }
            #expect(try await session.queryValue("SELECT 7", as: Int.self) == 7)
        }
    }

    @Test("cancelling the task ends it, and the session goes on")
    func cancelled() async throws {
        try await withSession { session async throws in
            let task = Task {
                try await session.copyOut("COPY (SELECT pg_sleep(50)) TO STDOUT") { _ in }
            }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            let error = await postgresError { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(try await session.queryValue("SELECT 7", as: Int.self) == 7)
        }
    }

    @Test("errors of the statement are thrown, before and among the rows")
    func errors() async throws {
        try await withSession { session async throws in
            let missing = await postgresError { try await session.copyOut("COPY missing TO STDOUT") { _ in } }
            #expect(missing?.sqlState == "42P01")
            let late = await postgresError {
                try await session.copyOut("COPY (SELECT 1 / (50000 - g) FROM generate_series(1, 100000) g) TO STDOUT") { _ in }
            }
            #expect(late?.sqlState == "22012")
            let notCopy = await postgresError { try await session.copyOut("SELECT 1") { _ in } }
            #expect(notCopy?.code == .misuse)
            try await session.execute("CREATE TEMP TABLE c (n int)")
            let wrongWay = await postgresError { try await session.copyOut("COPY c FROM STDIN") { _ in } }
            #expect(wrongWay?.code == .misuse)
            #expect(try await session.queryValue("SELECT 7", as: Int.self) == 7)
        }
    }
}
