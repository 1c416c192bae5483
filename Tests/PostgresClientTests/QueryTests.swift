import Foundation
import PostgresClient
import TestSupport
import Testing

@Suite("queries", .timeLimit(.minutes(1)))
struct QueryTests {
    struct Document: Decodable, Sendable, Equatable {
        var ids: [Int]
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var cast: String
        var parameter: PostgresParameter
        var text: String?
        var testDescription: String { "\(cast) \(text ?? "NULL")" }
    }

    /// Text forms are those of PostgreSQL's data type chapter.
    @Test("a parameter of each type comes back in the server's text form", arguments: [
        Case(cast: "text", parameter: "O'Brien; \"x\" \\ \n\t 🐘", text: "O'Brien; \"x\" \\ \n\t 🐘"),
        Case(cast: "text", parameter: .text(""), text: ""),
        Case(cast: "text", parameter: nil, text: nil),
        Case(cast: "text", parameter: .text(nil), text: nil),
        Case(cast: "int", parameter: -2_147_483_648, text: "-2147483648"),
        Case(cast: "bigint", parameter: .int(Int64.max), text: "9223372036854775807"),
        Case(cast: "boolean", parameter: true, text: "t"),
        Case(cast: "boolean", parameter: .bool(false), text: "f"),
        Case(cast: "float8", parameter: .double(0.1), text: "0.1"),
        Case(cast: "numeric", parameter: "12345678901234567890.12", text: "12345678901234567890.12"),
        Case(cast: "uuid", parameter: .uuid(UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")!),
             text: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        Case(cast: "bytea", parameter: .bytea([0, 1, 0xFE, 0xFF]), text: "\\x0001feff"),
        Case(cast: "jsonb", parameter: .json("{\"a\":[1,null]}"), text: "{\"a\": [1, null]}"),
        Case(cast: "json", parameter: .bytes(Array("[\"é\"]".utf8)), text: "[\"é\"]"),
        Case(cast: "date", parameter: "2026-11-23", text: "2026-11-23"),
        Case(cast: "text[]", parameter: .textArray(["a", nil, "", "b\"\\,{}"]), text: "{a,NULL,\"\",\"b\\\"\\\\,{}\"}"),
        Case(cast: "int[]", parameter: .intArray([1, -2]), text: "{1,-2}"),
    ])
    func roundTrip(_ testCase: Case) async throws {
        let result = try await withSession { try await $0.query("SELECT $1::\(testCase.cast) AS v", [testCase.parameter]) }
        #expect(try result.onlyRow()[0] == testCase.text)
        #expect(result.columns.map(\.name) == ["v"])
    }

    @Test("values decode as Swift types, and say so when they cannot")
    func decoding() async throws {
        let row = try await withSession {
            try await $0.query("""
                SELECT 7 AS i, true AS b, 1.5::float8 AS d, 'x' AS t, NULL::int AS n, '\\x00ff'::bytea AS y,
                       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u
                """).onlyRow()
        }
        #expect(try row.value("i", as: Int.self) == 7)
        #expect(try row.value("b", as: Bool.self))
        #expect(try row.value("d", as: Double.self) == 1.5)
        #expect(try row.optional("n", as: Int.self) == nil)
        #expect(try row.value("y", as: [UInt8].self) == [0, 255])
        #expect(try row.value("u", as: UUID.self) == UUID(uuidString: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"))
        for wrong in ["t", "n", "missing"] {
            let error = #expect(throws: PostgresError.self) { try row.value(wrong, as: Int.self) }
            #expect(error?.code == .unexpectedResult)
        }
    }

    @Test("affected rows, command tags, rows in order, scripts")
    func statements() async throws {
        try await withSession { session async throws in
            try await session.execute("CREATE TEMP TABLE t (n int); INSERT INTO t SELECT generate_series(1, 5);")
            let updated = try await session.query("UPDATE t SET n = n + $1 WHERE n > 2", [10])
            #expect(updated.affectedRows == 3)
            #expect(updated.commandTag == "UPDATE 3")
            let rows = try await session.query("SELECT n FROM t ORDER BY n").rows
            #expect(rows.map { $0["n"] } == ["1", "2", "13", "14", "15"])
        }
    }

    @Test("one value, one JSON document, and neither")
    func conveniences() async throws {
        try await withSession { session async throws in
            #expect(try await session.queryValue("SELECT 41 + $1::int", [1], as: Int.self) == 42)
            #expect(try await session.queryValue("SELECT NULL::int", as: Int.self) == nil)
            #expect(try await session.queryValue("SELECT 1 WHERE false", as: Int.self) == nil)
            #expect(try await session.queryJSON("SELECT '{\"ids\":[3,4]}'::jsonb", as: Document.self) == Document(ids: [3, 4]))
            let error = await postgresError { _ = try await session.queryJSON("SELECT '[]'::jsonb", as: Document.self) }
            #expect(error?.code == .unexpectedResult)
        }
    }

    @Test("a parameter and a result of 20 MB pass")
    func large() async throws {
        let length = try await withSession { session async throws in
            let echoed = try await session.queryValue(
                "SELECT $1 || 'x'", [.bytes([UInt8](repeating: 0x61, count: 20_000_000))], as: String.self)
            return echoed?.utf8.count
        }
        #expect(length == 20_000_001)
    }

    @Test("NUL is refused before anything is sent", arguments: [
        PostgresParameter.text("a\0b"), .bytes([0x61, 0]),
    ])
    func refusesNUL(_ parameter: PostgresParameter) async throws {
        try await withSession { session async throws in
            let error = await postgresError { _ = try await session.query("SELECT $1::text", [parameter]) }
            #expect(error?.code == .invalidParameter)
            let inText = await postgresError { try await session.query("SELECT 1 -- \0") }
            #expect(inText?.code == .invalidParameter)
            #expect(try await session.queryValue("SELECT 1", as: Int.self) == 1)
        }
    }

    @Test("identifiers are quoted by the library")
    func quoting() async throws {
        try await withSession { session async throws in
            #expect(try await session.quoteIdentifier("a\"b C") == "\"a\"\"b C\"")
            let error = await postgresError { _ = try await session.quoteIdentifier("a\0") }
            #expect(error?.code == .invalidParameter)
        }
    }

    @Test("the session knows its server process, version and settings")
    func facts() async throws {
        let options = SessionOptions(applicationName: "facts", settings: [("lock_timeout", "4321ms")])
        try await withSession(options: options) { session async throws in
            let pid = try await session.queryValue("SELECT pg_backend_pid()", as: Int32.self)
            #expect(await session.backendProcessID == pid)
            #expect(await session.serverVersion >= 130_000)
            #expect(try await session.queryValue("SHOW lock_timeout", as: String.self) == "4321ms")
            #expect(try await session.queryValue("SHOW application_name", as: String.self) == "facts")
            #expect(try await session.queryValue("SHOW client_encoding", as: String.self) == "UTF8")
        }
    }
}
