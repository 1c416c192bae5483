import Foundation
import HTTPTransport
import Logging
import Relay
import SalesforceAPI

extension SettingValues {
    /// - Throws: ``CommandFailure`` when none is set.
    func databaseURL() throws -> String {
        try required(SettingTable.databaseURL, "give the database, such as postgresql://user@host:5432/name")
    }

    /// The folder that is set, or the user's own as the XDG base directory specification has it; nil when there is neither.
    var stateDirectory: String? {
        if let set = self[SettingTable.stateDirectory] { return set }
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/hc-relay" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state/hc-relay" : nil }
    }

    var logLevel: Logger.Level { self[SettingTable.logLevel].flatMap { Logger.Level(rawValue: $0) } ?? .info }

    /// How Salesforce is reached, with the credentials that are set, if any.
    /// - Throws: ``CommandFailure`` for credentials that do not fit together.
    func salesforce() throws -> SalesforceAccess {
        let version = self[SettingTable.apiVersion] ?? "62.0"
        guard let apiVersion = APIVersion(version) else {
            throw CommandFailure("SALESFORCE_API_VERSION cannot be \"\(version)\": write it like 62.0")
        }
        let configuration = SalesforceClientConfiguration(
            apiVersion: apiVersion, clientName: self[SettingTable.clientName] ?? "hc-sync/1.0",
            writeTimeout: seconds(SettingTable.writeTimeout), readTimeout: seconds(SettingTable.readTimeout),
            connectTimeout: seconds(SettingTable.connectTimeout), stallTimeout: seconds(SettingTable.stallTimeout))
        // A proxy of the environment is for the world outside, not for an org on this machine.
        let isLocal = Loopback.isLoopback(url: self[SettingTable.loginURL] ?? "")
        let http = HTTPClient(configuration: HTTPClientConfiguration(proxy: isLocal ? .none : .environment))
        return SalesforceAccess(credentials: try credentials(), client: configuration, http: http)
    }

    /// The flow follows from what is set: a private key means JWT bearer, a refresh token its own flow, a secret alone client
    /// credentials.
    private func credentials() throws -> Credentials? {
        let login = self[SettingTable.loginURL] ?? "https://login.salesforce.com"
        let key = try privateKey(), refreshToken = self[SettingTable.refreshToken], secret = self[SettingTable.clientSecret]
        guard key != nil || refreshToken != nil || secret != nil || self[SettingTable.clientID] != nil else { return nil }
        let clientID = try required(SettingTable.clientID, "give the consumer key of the connected app")
        if let key {
            let username = try required(SettingTable.username, "the JWT bearer flow needs the user's name")
            return .jwtBearer(
                clientID: clientID, username: username, privateKeyPEM: key, audience: self[SettingTable.audience] ?? Self.audience(login),
                loginURL: login)
        }
        if let refreshToken {
            return .refreshToken(
                clientID: clientID, clientSecret: secret.map { Secret($0) }, refreshToken: Secret(refreshToken), loginURL: login,
                rotated: { _ in
                    throw CommandFailure("the org rotates refresh tokens, and there is no place to keep the new one")
                })
        }
        guard let secret else {
            throw CommandFailure(
                "SALESFORCE_CLIENT_SECRET is not set: give it, SALESFORCE_REFRESH_TOKEN, or SALESFORCE_USERNAME with SALESFORCE_PRIVATE_KEY")
        }
        return .clientCredentials(clientID: clientID, clientSecret: Secret(secret), loginURL: login)
    }

    private func privateKey() throws -> Secret? {
        // One line with \n in it, as variables often have it, is as good as several lines.
        if let text = self[SettingTable.privateKey] { return Secret(text.replacing("\\n", with: "\n")) }
        guard let file = self[SettingTable.privateKeyFile] else { return nil }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure("cannot read SALESFORCE_PRIVATE_KEY_FILE \(file): check its name and its rights")
        }
        return Secret(text)
    }

    private static func audience(_ login: String) -> String {
        login.contains("test.salesforce.com") || login.contains(".sandbox.")
            ? "https://test.salesforce.com" : "https://login.salesforce.com"
    }

    func relay() throws -> RelayConfiguration {
        RelayConfiguration(
            databaseURL: try databaseURL(), holder: "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)",
            stateDirectory: stateDirectory, salesforce: try salesforce(), loadConcurrency: number(SettingTable.loadConcurrency),
            bulkPageSize: number(SettingTable.bulkPageSize))
    }
}
