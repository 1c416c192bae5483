import PostgresClient
import TestSupport
import Testing

@Suite("errors", .timeLimit(.minutes(1)))
struct ErrorTests {
    @Test("SQLSTATE, message, detail, hint, context and names arrive; the session goes on")
    func fields() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE person (email text CONSTRAINT person_email_key UNIQUE)")
            try await session.query("INSERT INTO person VALUES ('secret@example.com')")
            let unique = try #require(await postgresError {
                _ = try await session.query("INSERT INTO person VALUES ($1)", ["secret@example.com"])
            })
            #expect(unique.code == .server)
            #expect(unique.sqlState == "23505")
            #expect(unique.constraintName == "person_email_key")
            #expect(unique.tableName == "person")
            #expect(unique.detail == "Key (email)=(secret@example.com) already exists.")
            #expect(!unique.isTransient && !unique.isConnectionLoss)

            let raised = try #require(await postgresError {
                try await session.execute("""
                    DO $$ BEGIN RAISE EXCEPTION 'no mapping' USING ERRCODE = 'HC001', DETAIL = 'd', HINT = 'Create it.'; END $$
                    """)
            })
            #expect(raised.sqlState == "HC001")
            #expect(raised.serverMessage == "no mapping")
            #expect(raised.detail == "d")
            #expect(raised.hint == "Create it.")
            #expect(raised.context?.contains("PL/pgSQL function inline_code_block") == true)
            #expect("\(raised)".contains("no mapping"))
            #expect("\(raised)".contains("Create it."))
            #expect(try await session.queryValue("SELECT 1", as: Int.self) == 1)
        }
    }

    @Test("a description shows no value of a row or parameter")
    func descriptionIsSafe() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE s (v text UNIQUE, n int NOT NULL)")
            try await session.query("INSERT INTO s VALUES ('hunter2', 1)")
            for (sql, parameter) in [
                ("SELECT $1::text::int", "hunter2"), ("INSERT INTO s VALUES ($1, 1)", "hunter2"),
                ("INSERT INTO s VALUES ($1, NULL)", "hunter2"), ("SELECT $1::json", "{hunter2"),
            ] {
                let error = try #require(await postgresError { _ = try await session.query(sql, [.text(parameter)]) })
                #expect(!"\(error)".contains("hunter2"), "\(sql)")
                #expect(error.debugDescription.contains("hunter2"), "\(sql)")
            }
        }
    }

    @Test("which failures are worth waiting for", arguments: [
        ("40001", true), ("40P01", true), ("53300", true), ("55P03", true), ("57P01", true), ("57P03", true), ("08006", true),
        ("25006", true), ("23505", false), ("42P01", false), ("57014", false), ("22P02", false), ("P0001", false),
    ])
    func transience(sqlState: String, isTransient: Bool) {
        #expect(PostgresError(code: .server, sqlState: sqlState).isTransient == isTransient)
    }

    @Test("connecting fails with a reason, and never shows the password", arguments: [
        ("host=127.0.0.1 port=1 user=u password=hunter2 dbname=d", PostgresError.Code.couldNotConnect),
        ("postgresql://u:hunter2@127.0.0.1:1/d", .couldNotConnect),
        ("host=127.0.0.1 password=hunter2 hunter2", .badConnectionString),
        ("postgresql://u:hunter2@127.0.0.1:1/d?nonsense=hunter2", .badConnectionString),
    ])
    func connecting(conninfo: String, code: PostgresError.Code) async throws {
        let error = try #require(await postgresError { _ = try await PostgresSession.connect(conninfo) })
        #expect(error.code == code)
        #expect(!"\(error) \(error.debugDescription)".contains("hunter2"))
        #expect(error.isTransient == (code == .couldNotConnect))
    }

    @Test("the second host is used when the first is not there")
    func severalHosts() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let conninfo = "postgresql://postgres@127.0.0.1:1,127.0.0.1:\(cluster.port)/postgres?target_session_attrs=read-write"
        let session = try await PostgresSession.connect(conninfo)
        #expect(try await session.queryValue("SELECT 1", as: Int.self) == 1)
        await session.close()
        let closed = await postgresError { try await session.query("SELECT 1") }
        #expect(closed?.code == .connectionClosed)
        #expect(closed?.isConnectionLoss == true)
    }

    @Test("COPY outside of copyIn is refused")
    func copyAsQuery() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE c (n int)")
            let error = await postgresError { try await session.query("COPY c FROM STDIN") }
            #expect(error?.code == .misuse)
            #expect(try await session.queryValue("SELECT count(*) FROM c", as: Int.self) == 0)
        }
    }
}
