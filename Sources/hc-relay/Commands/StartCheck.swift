import Foundation
import Logging
import Management
import Relay
import SalesforceAPI

/// What must be right before the relay starts: database, extension, no pooler, credentials, port.
struct StartCheck: Sendable {
    let settings: SettingValues
    let configuration: RelayConfiguration

    func run() async throws {
        try await RelaySession.open(settings.databaseURL(), purpose: "start").close()
        try await login()
        let listen = settings.listen
        guard await ManagementService.canListen(host: listen.host, port: listen.port) else {
            throw CommandFailure(
                "port \(listen.port) of \(listen.host) is taken or not to be had: stop what listens there, or set HC_LISTEN to another address")
        }
    }

    /// Refused credentials end the start; an org that cannot be reached now does not, because the relay waits for it.
    private func login() async throws {
        let credentials = try Workplace.credentials(of: configuration.salesforce)
        let quiet = Logger(label: "hc-relay") { _ in SwiftLogNoOpLogHandler() }
        let session = SalesforceSession(credentials: credentials, http: configuration.salesforce.http, logger: quiet)
        do throws(SalesforceError) {
            _ = try await session.current()
        } catch {
            guard !error.disposition.isTransient else { return }
            throw error
        }
    }
}

extension SettingValues {
    /// Where the relay's own server listens; the table has checked it.
    var listen: (host: String, port: Int) {
        let address = self[SettingTable.listen].flatMap { ListenAddress($0) }
        return (address?.host ?? "127.0.0.1", address?.port ?? 8081)
    }
}
