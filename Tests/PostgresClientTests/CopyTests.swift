import PostgresClient
import TestSupport
import Testing

@Suite("COPY in", .timeLimit(.minutes(1)))
struct CopyTests {
    struct SourceFailed: Error {}

    /// Pieces that cut through lines, as a network delivers them.
    private func pieces(rows: Int, size: Int) -> [[UInt8]] {
        let bytes = (1...rows).flatMap { Array("\($0),\"name, \($0)\"\n".utf8) }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    private let copy = "COPY c FROM STDIN WITH (FORMAT csv)"

    @Test("100,000 rows from a slow source")
    func slowSource() async throws {
        let pieces = pieces(rows: 100_000, size: 100_003)
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE c (n int, name text)")
            var next = 0
            let rows = try await session.copyIn(copy) {
                guard next < pieces.count else { return nil }
                try await Task.sleep(for: .milliseconds(5))
                next += 1
                return pieces[next - 1]
            }
            #expect(rows == 100_000)
            let sums = try await session.query("SELECT sum(n), count(DISTINCT name), min(name) FROM c").onlyRow()
            #expect(sums.values == ["5000050000", "100000", "name, 1"])
        }
    }

    @Test("a source that throws leaves nothing, and its error is the one thrown")
    func abortingSource() async throws {
        let pieces = pieces(rows: 50_000, size: 65_536)
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE c (n int, name text)")
            var next = 0
            await #expect(throws: SourceFailed.self) {
                try await session.copyIn(copy) {
                    guard next < pieces.count else { throw SourceFailed() }
                    next += 1
                    return pieces[next - 1]
                }
            }
            #expect(try await session.queryValue("SELECT count(*) FROM c", as: Int.self) == 0)
        }
    }

    @Test("cancelling the task leaves nothing")
    func cancelled() async throws {
        let pieces = pieces(rows: 1_000, size: 1_000_000)
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE c (n int, name text)")
            let task = Task {
                var sent = false
                return try await session.copyIn("COPY c FROM STDIN WITH (FORMAT csv)") {
                    if sent { try await Task.sleep(for: .seconds(50)) }
                    sent = true
                    return pieces[0]
                }
            }
            try await Task.sleep(for: .milliseconds(300))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await session.queryValue("SELECT count(*) FROM c", as: Int.self) == 0)
        }
    }

    @Test("a server that takes nothing holds the source back, and cancelling gets out of it")
    func backPressure() async throws {
        let cluster = try await ThrowawayCluster.shared()
        try await withSession { session async throws in
            try await session.execute("DROP TABLE IF EXISTS copy_blocked; CREATE TABLE copy_blocked (v text)")
            // The first row waits in the trigger, so that the server stops reading.
            try await session.execute("""
                CREATE OR REPLACE FUNCTION copy_blocked_wait() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_sleep(50); RETURN NEW; END $$;
                CREATE TRIGGER wait BEFORE INSERT ON copy_blocked FOR EACH ROW EXECUTE FUNCTION copy_blocked_wait();
                """)
            let line = [UInt8](repeating: 0x61, count: 65_535) + [0x0A]
            let counter = Counter()
            let task = Task {
                try await session.copyIn("COPY copy_blocked FROM STDIN") {
                    counter.increment()
                    return line
                }
            }
            var early = 0
            while counter.value != early || early == 0 {
                early = counter.value
                try await Task.sleep(for: .milliseconds(500))
            }
            #expect(early < 200, "\(early) pieces of 64 KiB are waiting somewhere")
            task.cancel()
            let error = await postgresError { _ = try await task.value }
            #expect(error?.code == .cancelled)
            #expect(try await cluster.psql("SELECT count(*) FROM copy_blocked") == "0")
        }
    }

    @Test("bad data and a statement that is no COPY are the server's errors")
    func serverErrors() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE c (n int, name text)")
            var given = false
            let bad = await postgresError {
                _ = try await session.copyIn(copy) {
                    defer { given = true }
                    return given ? nil : Array("1,a\nx,b\n".utf8)
                }
            }
            #expect(bad?.sqlState == "22P02")
            #expect(bad?.context?.hasPrefix("COPY c, line 2, column n") == true)
            let notCopy = await postgresError { _ = try await session.copyIn("SELECT 1") { nil } }
            #expect(notCopy?.code == .misuse)
            let missing = await postgresError { _ = try await session.copyIn("COPY missing FROM STDIN") { nil } }
            #expect(missing?.sqlState == "42P01")
            #expect(try await session.queryValue("SELECT count(*) FROM c", as: Int.self) == 0)
        }
    }

    @Test("COPY in a transaction is part of it")
    func inTransaction() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE c (n int, name text)")
            await #expect(throws: SourceFailed.self) {
                try await session.transaction { transaction in
                    var given = false
                    let rows = try await transaction.copyIn(copy) {
                        defer { given = true }
                        return given ? nil : Array("1,a\n".utf8)
                    }
                    #expect(rows == 1)
                    throw SourceFailed()
                }
            }
            #expect(try await session.queryValue("SELECT count(*) FROM c", as: Int.self) == 0)
        }
    }
}
