import Foundation
import HTTPTransport
import Logging
import SalesforceAPI
import SalesforceSimulator
import Testing

/// The simulator's sample org in this process, with a client that reaches it over a socket.
struct LiveOrg: Sendable {
    let baseURL: String
    private let http = HTTPClient(configuration: HTTPClientConfiguration(proxy: .none))

    /// The app that the sample org knows.
    var credentials: Credentials {
        .clientCredentials(clientID: "hc-sync-sample", clientSecret: Secret("sample-secret"), loginURL: baseURL)
    }

    func client(
        _ configuration: SalesforceClientConfiguration = SalesforceClientConfiguration(), credentials: Credentials? = nil
    ) -> SalesforceClient {
        let logger = Logger(label: "test")
        let session = SalesforceSession(credentials: credentials ?? self.credentials, http: http, logger: logger)
        return SalesforceClient(session: session, http: http, configuration: configuration, logger: logger)
    }

    /// Calls the simulator's control; the answer as JSON.
    @discardableResult
    func control(_ method: HTTPMethod, _ path: String, _ body: String = "") async throws -> Any {
        let request = HTTPRequest(
            method: method, url: "\(baseURL)/_sim/\(path)", headers: body.isEmpty ? [] : [HTTPHeader("Content-Type", "application/json")],
            body: body.isEmpty ? .none : .text(body))
        let response = try await http.send(request)
        try #require(response.status == 200, "\(response.text)")
        return try JSONSerialization.jsonObject(with: Data(response.body))
    }

    /// How many calls of `family` and `operation` the org answered or dropped.
    func calls(_ family: String, _ operation: String) async throws -> Int {
        let counts = try #require(try await control(.get, "counts") as? [String: Any])
        return (counts["counts"] as? [String: Int])?["\(family).\(operation)"] ?? 0
    }

    static func run(_ body: @escaping @Sendable (LiveOrg) async throws -> Void) async throws {
        var logger = Logger(label: "simulator")
        logger.logLevel = .critical
        let simulator = Simulator(Simulator.Configuration(sample: true), logger: logger)
        try await serving(simulator) {
            let port = try #require(await simulator.port())
            try await body(LiveOrg(baseURL: "http://127.0.0.1:\(port)"))
        }
    }
}

/// Records of a page or a retrieve, for comparing.
func rows(_ bytes: [UInt8]) throws -> [[String: Any]?] {
    let array = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [Any])
    return array.map { $0 as? [String: Any] }
}
