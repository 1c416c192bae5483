import Foundation
import Logging
import PostgresClient
import Relay
import SalesforceAPI
import Testing

@testable import hc_relay

@Suite("what the command says")
struct OutputTests {
    @Test("a log line has Heroku Connect's keys first, then the facts by name")
    func logLine() {
        let facts: Logger.Metadata = [
            "rows": "12", "state": "IDLE", "object_id": "c1", "object_type": "sync", "error": "say \"no\"\nnow", "request_id": "",
        ]
        let line = LogfmtHandler.line("Account UPDATE ↑SALESFORCE 12 rows (0.31 secs)", .info, facts, at: Date(timeIntervalSince1970: 0))
        #expect(
            line
                == "1970-01-01T00:00:00.000Z event=\"Account UPDATE ↑SALESFORCE 12 rows (0.31 secs)\" object_type=sync object_id=c1 "
                + "state=IDLE level=info error=\"say \\\"no\\\"\\nnow\" rows=12\n")
    }

    @Test("an error is one line that names the setting to look at")
    func failures() {
        let unreachable = PostgresError(code: .couldNotConnect, serverMessage: "port 1 failed:\n\trefused")
        #expect(CommandFailure.line(unreachable) == "cannot reach the database: port 1 failed: refused; check DATABASE_URL, and that the server runs")
        let malformed = PostgresError(code: .badConnectionString, serverMessage: "postgresql://u:secret@x")
        #expect(CommandFailure.line(malformed).contains("DATABASE_URL") && !CommandFailure.line(malformed).contains("secret"))
        let secret = SalesforceError(.configuration, code: "invalid_client", message: "no", operation: "login at https://x")
        #expect(CommandFailure.line(secret).contains("SALESFORCE_CLIENT_SECRET"))
        let field = SalesforceError(.configuration, code: "INVALID_FIELD", message: "No such column", operation: "query of Account")
        #expect(CommandFailure.line(field) == field.description)
    }

    @Test("malformed JSON is placed by line and column")
    func malformedJSON() {
        let text = "{\"mappings\": [\n  {\"access\" \"read_write\"}]}"
        #expect(MalformedJSON(text, context: "JSON data, line 2:   {\"access\" \"read_write\"...").place == ", line 2, column 24")
        #expect(MalformedJSON(text, context: "JSON data, line 1: ...pings\": [").place == ", line 1, column 14")
        #expect(MalformedJSON(text, context: "JSON data, line 9: x").place == ", line 9")
        #expect(MalformedJSON(text, context: "").place == "")
    }
}
