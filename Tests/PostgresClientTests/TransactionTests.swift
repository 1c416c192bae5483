import PostgresClient
import TestSupport
import Testing

@Suite("transactions", .timeLimit(.minutes(1)))
struct TransactionTests {
    struct Stop: Error {}

    /// A table that is there for one test, and a session that looks at it from outside.
    private func withTable(_ name: String, _ body: (PostgresSession, PostgresSession) async throws -> Void) async throws {
        try await withSession { session async throws in
            try await session.execute("DROP TABLE IF EXISTS \(name); CREATE TABLE \(name) (n int)")
            try await withSession { observer in try await body(session, observer) }
        }
    }

    @Test("commits what returns and rolls back what throws")
    func commitAndRollback() async throws {
        try await withTable("tx_basic") { session, observer async throws in
            let inserted = try await session.transaction { transaction in
                try await transaction.query("INSERT INTO tx_basic VALUES (1)", [])
                #expect(try await observer.queryValue("SELECT count(*) FROM tx_basic", as: Int.self) == 0)
                return "kept"
            }
            #expect(inserted == "kept")
            await #expect(throws: Stop.self) {
                try await session.transaction { transaction in
                    try await transaction.query("INSERT INTO tx_basic VALUES (2)")
                    throw Stop()
                }
            }
            #expect(try await observer.queryValue("SELECT array_agg(n) FROM tx_basic", as: String.self) == "{1}")
        }
    }

    @Test("a cancelled task rolls back, also when its body swallows the cancellation")
    func cancellation() async throws {
        try await withTable("tx_cancel") { session, observer async throws in
            let task = Task {
                try await session.transaction { transaction in
                    try await transaction.query("INSERT INTO tx_cancel VALUES (1)")
                    try? await Task.sleep(for: .seconds(50))
                }
            }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await observer.queryValue("SELECT count(*) FROM tx_cancel", as: Int.self) == 0)
            let pid = await session.backendProcessID
            let state = try await observer.queryValue(
                "SELECT state FROM pg_stat_activity WHERE pid = $1", [.int(pid)], as: String.self)
            #expect(state == "idle")
        }
    }

    @Test("a failed statement that the body swallows is not committed in silence")
    func swallowedFailure() async throws {
        try await withTable("tx_swallow") { session, observer async throws in
            let error = await postgresError {
                try await session.transaction { transaction in
                    try await transaction.query("INSERT INTO tx_swallow VALUES (1)")
                    _ = try? await transaction.query("SELECT 1/0")
                }
            }
            #expect(error?.code == .transactionAborted)
            #expect(try await observer.queryValue("SELECT count(*) FROM tx_swallow", as: Int.self) == 0)
        }
    }

    @Test("a savepoint undoes its part only")
    func savepoint() async throws {
        try await withTable("tx_savepoint") { session, observer async throws in
            try await session.transaction { transaction in
                try await transaction.query("INSERT INTO tx_savepoint VALUES (1)")
                let failed = await postgresError {
                    try await transaction.savepoint {
                        try await transaction.query("INSERT INTO tx_savepoint VALUES (2)")
                        try await transaction.query("SELECT 1/0")
                    }
                }
                #expect(failed?.sqlState == "22012")
                try await transaction.savepoint { try await transaction.query("INSERT INTO tx_savepoint VALUES (3)") }
            }
            #expect(try await observer.queryValue("SELECT array_agg(n ORDER BY n) FROM tx_savepoint", as: String.self) == "{1,3}")
        }
    }

    @Test("statements of other tasks wait until the transaction ends")
    func exclusive() async throws {
        try await withTable("tx_exclusive") { session, _ async throws in
            async let first: Void = session.transaction { transaction in
                try await transaction.query("INSERT INTO tx_exclusive VALUES (1)")
                try await Task.sleep(for: .milliseconds(300))
                try await transaction.query("INSERT INTO tx_exclusive VALUES (2)")
                return
            }
            try await Task.sleep(for: .milliseconds(100))
            // Inside the transaction it would be 1.
            #expect(try await session.queryValue("SELECT count(*) FROM tx_exclusive", as: Int.self) == 2)
            try await first
        }
    }

    @Test("using the session inside its own transaction, or a transaction after its end, is refused")
    func misuse() async throws {
        try await withTable("tx_misuse") { session, _ async throws in
            let inside = await postgresError { _ = try await session.transaction { _ in try await session.query("SELECT 1") } }
            #expect(inside?.code == .misuse)
            let ended = try await session.transaction { $0 }
            let after = await postgresError { try await ended.query("SELECT 1") }
            #expect(after?.code == .misuse)
            #expect(try await session.queryValue("SELECT 1", as: Int.self) == 1)
        }
    }
}
