import Foundation
import Relay
import SalesforceAPI
import Testing

@testable import hc_relay

@Suite("settings")
struct SettingsTests {
    private func values(_ flags: [String] = [], _ environment: [String: String] = [:]) throws -> SettingValues {
        try SettingValues(commandLine: CommandLineSettings(flags), environment: environment)
    }

    private func file(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "hc-relay-\(UUID().uuidString).env"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test("a flag wins over the environment, that over the file, that over the default")
    func precedence() throws {
        let path = try file("# comment\nHC_BULK_PAGE_SIZE = \"300\"\nHC_LISTEN=127.0.0.1:3\nSALESFORCE_CLIENT_ID=file\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let values = try values(
            ["run", "--listen=127.0.0.1:1", "--settings", path], ["HC_LISTEN": "127.0.0.1:2", "HC_BULK_PAGE_SIZE": "200", "HC_LOG_LEVEL": ""])
        #expect(values[SettingTable.listen] == "127.0.0.1:1")
        #expect(values.number(SettingTable.bulkPageSize) == 200)
        #expect(values[SettingTable.clientID] == "file")
        #expect(values[SettingTable.logLevel] == "info")
        #expect(values[SettingTable.databaseURL] == nil)
    }

    @Test("flags of settings may stand anywhere, the rest is the command's")
    func extraction() throws {
        let line = try CommandLineSettings(["--database-url", "x", "status", "--output", "json", "--", "--listen"])
        #expect(line.values == ["DATABASE_URL": "x"])
        #expect(line.arguments == ["status", "--output", "json", "--", "--listen"])
        #expect(throws: CommandFailure.self) { try CommandLineSettings(["--listen"]) }
    }

    @Test("a value that cannot be is refused with what may be", arguments: [
        ("HC_LOAD_CONCURRENCY", "3", "from 1 to 2"), ("HC_WRITE_TIMEOUT", "soon", "whole seconds"), ("HC_LISTEN", "8081", "127.0.0.1:8081"),
        ("HC_LOG_LEVEL", "loud", "trace"),
    ])
    func refused(name: String, value: String, advice: String) throws {
        let error = try #require(#expect(throws: CommandFailure.self) { try values([], [name: value]) })
        #expect(error.description.contains(name) && error.description.contains(value) && error.description.contains(advice))
    }

    @Test("a secret is refused on the command line, where the process list shows it, and the refusal does not repeat it", arguments: [
        ["--database-url", "postgresql://app:hidden@db/app"], ["--database-url=host=db password = hidden"],
        ["--database-url", "postgresql://db/app?sslpassword=hidden"], ["--salesforce-client-secret", "hidden"], ["--api-token=hidden"],
    ])
    func secretFlag(flags: [String]) throws {
        let error = try #require(#expect(throws: CommandFailure.self) { try values(flags) })
        #expect(error.description.contains("process list") && error.description.contains("environment") && !error.description.contains("hidden"))
    }

    @Test("a database without a password may be a flag", arguments: ["postgresql://app@[::1]:5432/app", "host=db user=app", "postgresql:///app?host=/tmp"])
    func databaseFlag(url: String) throws {
        #expect(try values(["--database-url", url])[SettingTable.databaseURL] == url)
    }

    @Test("a file that names no setting says where")
    func unknownName() throws {
        let path = try file("\nHC_SPEED=fast\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = try #require(#expect(throws: CommandFailure.self) { try values(["--settings", path]) })
        #expect(error.description.contains("line 2") && error.description.contains("HC_SPEED"))
    }

    @Test("the credentials that are set decide the flow", arguments: [
        ([:], "none"), (["SALESFORCE_CLIENT_SECRET": "s"], "client credentials"),
        (["SALESFORCE_CLIENT_SECRET": "s", "SALESFORCE_REFRESH_TOKEN": "t"], "refresh token"),
        (["SALESFORCE_PRIVATE_KEY": "k", "SALESFORCE_USERNAME": "u"], "JWT for https://login.salesforce.com"),
        (
            ["SALESFORCE_PRIVATE_KEY": "k", "SALESFORCE_USERNAME": "u", "SALESFORCE_LOGIN_URL": "https://test.salesforce.com"],
            "JWT for https://test.salesforce.com"
        ),
    ] as [([String: String], String)])
    func flow(environment: [String: String], flow: String) throws {
        let environment = environment.isEmpty ? [:] : environment.merging(["SALESFORCE_CLIENT_ID": "id"]) { $1 }
        let found =
            switch try values([], environment).salesforce().credentials {
            case nil: "none"
            case .clientCredentials: "client credentials"
            case .refreshToken: "refresh token"
            case .jwtBearer(_, _, _, let audience, _): "JWT for \(audience)"
            }
        #expect(found == flow)
    }

    @Test("credentials that do not suffice say what is missing", arguments: [
        (["SALESFORCE_CLIENT_ID": "id"], "SALESFORCE_CLIENT_SECRET"), (["SALESFORCE_CLIENT_SECRET": "s"], "SALESFORCE_CLIENT_ID"),
        (["SALESFORCE_CLIENT_ID": "id", "SALESFORCE_PRIVATE_KEY": "k"], "SALESFORCE_USERNAME"),
        (["SALESFORCE_CLIENT_ID": "id", "SALESFORCE_PRIVATE_KEY_FILE": "/nowhere"], "/nowhere"),
    ] as [([String: String], String)])
    func missing(environment: [String: String], named: String) throws {
        let error = try #require(#expect(throws: CommandFailure.self) { try values([], environment).salesforce() })
        #expect(error.description.contains(named))
    }

    @Test("names and flags are unique, and defaults are values that may be")
    func table() {
        #expect(Set(SettingTable.all.map(\.name)).count == SettingTable.all.count)
        #expect(Set(SettingTable.all.map(\.flag)).count == SettingTable.all.count)
        for setting in SettingTable.all { #expect(setting.otherwise.flatMap { setting.refusal($0) } == nil) }
        #expect(SettingTable.listen.flag == "--listen" && SettingTable.loginURL.flag == "--salesforce-login-url")
    }

    @Test("addresses", arguments: [
        ("127.0.0.1:8081", "127.0.0.1", 8081), (":80", "127.0.0.1", 80), ("[::1]:5", "::1", 5), ("host:0", "host", 0),
    ])
    func address(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port)
    }

    @Test("no addresses", arguments: ["8081", "host", "host:", "host:99999", "::1:5", "host:-1"])
    func noAddress(text: String) { #expect(ListenAddress(text) == nil) }
}
