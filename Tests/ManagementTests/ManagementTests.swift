import Hummingbird
import HummingbirdTesting
import Logging
import Relay
import Testing

@testable import Management

@Suite("the relay's own server")
struct ManagementTests {
    static let status = """
        {"connection":"c1","schema":"salesforce","state":"IDLE","state_detail":null,"epoch":3,"leader":"h:1","log":{"NEW":4,"FAILED":1},
         "oldest_unsent_seconds":12.5,"held":2,"batches":{"SENT":1},"in_doubt":1,"waiting_rows":0,"staged":7,"notifications":1,
         "sequences":{"salesforce._trigger_log_id_seq":0.512345},
         "mappings":[{"mapping":"m1","object":"Account","table":"account","access":"read_write","state":"DATA_SYNCED","state_detail":null,"load":null}]}
        """

    struct Unreachable: Error {}

    private func answer(
        _ path: String, token: String? = nil, shown: String? = nil, fails: Bool = false
    ) async throws -> (HTTPResponse.Status, String) {
        let routes = ManagementRoutes(
            apiToken: token, health: RelayHealth(),
            statuses: { if fails { throw Unreachable() } else { [Self.status] } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await Application(router: routes.router()).test(.router) { client in
            let headers: HTTPFields = shown.map { [.authorization: $0] } ?? [:]
            return try await client.execute(uri: path, method: .get, headers: headers) { ($0.status, String(buffer: $0.body)) }
        }
    }

    @Test("lives, whatever the database does")
    func healthz() async throws { #expect(try await answer("/healthz", fails: true).0 == .ok) }

    @Test("is not ready before the database has answered")
    func readyz() async throws { #expect(try await answer("/readyz").0 == .serviceUnavailable) }

    @Test("metrics are Prometheus text with real values")
    func metrics() async throws {
        let (status, text) = try await answer("/metrics")
        #expect(status == .ok)
        for line in [
            #"hc_log_entries{schema="salesforce",state="NEW"} 4"#, #"hc_oldest_unsent_seconds{schema="salesforce"} 12.5"#,
            #"hc_entries_held{schema="salesforce"} 2"#, #"hc_entries_in_doubt{schema="salesforce"} 1"#,
            #"hc_records_staged{schema="salesforce"} 7"#, #"hc_batches{schema="salesforce",state="SENT"} 1"#,
            #"hc_mapping_state{object="Account",schema="salesforce",state="DATA_SYNCED"} 1"#, #"hc_leads{schema="salesforce"} 0"#,
            #"hc_sequence_used{schema="salesforce",sequence="salesforce._trigger_log_id_seq"} 0.512345"#,
            "# TYPE hc_log_entries gauge",
        ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line) is missing") }
    }

    @Test("metrics ask for the token, if one is set", arguments: [
        (nil, HTTPResponse.Status.unauthorized), ("Bearer wrong", .unauthorized), ("Bearer tok", .unauthorized),
        ("Bearer tokens", .unauthorized), ("Basic token", .unauthorized), ("Bearer token", .ok), ("bearer token", .ok),
    ] as [(String?, HTTPResponse.Status)])
    func token(shown: String?, status: HTTPResponse.Status) async throws {
        #expect(try await answer("/metrics", token: "token", shown: shown).0 == status)
    }

    @Test("metrics say that the database is away")
    func away() async throws { #expect(try await answer("/metrics", fails: true).0 == .serviceUnavailable) }

    @Test("a taken port is noticed")
    func port() async throws {
        #expect(await ManagementService.canListen(host: "127.0.0.1", port: 0))
        #expect(await !ManagementService.canListen(host: "192.0.2.1", port: 0))   // no address of this machine (RFC 5737)
    }
}
