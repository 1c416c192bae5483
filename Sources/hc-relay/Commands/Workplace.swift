import ArgumentParser
import Foundation
import Logging
import PostgresClient
import Relay
import SalesforceAPI

/// What a command works with: the settings, and a session of the database while it runs.
struct Workplace: Sendable {
    let settings: SettingValues
    let session: RelaySession

    /// Opens the session, runs `work` and closes it.
    static func with<R>(checksExtension: Bool = true, _ work: (Workplace) async throws -> R) async throws -> R {
        let settings = try Invocation.settings()
        let session = try await RelaySession.open(
            settings.databaseURL(), purpose: "command", checksExtension: checksExtension)
        do {
            let result = try await work(Workplace(settings: settings, session: session))
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }

    /// - Throws: ``CommandFailure`` when none are set.
    static func credentials(of access: SalesforceAccess) throws -> Credentials {
        guard let credentials = access.credentials else {
            throw CommandFailure(
                "no Salesforce credentials: set SALESFORCE_LOGIN_URL, SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, or those of another flow (hc-relay settings)")
        }
        return credentials
    }

    /// Salesforce, logged in.
    /// - Parameter apiVersion: the connection's own, where it has one.
    func salesforce(apiVersion: String? = nil) async throws -> SalesforceClient {
        let access = try settings.salesforce()
        let credentials = try Self.credentials(of: access)
        var configuration = access.client
        if let version = apiVersion.flatMap({ APIVersion($0) }) { configuration.apiVersion = version }
        let logger = Logger(label: "hc-relay") { _ in SwiftLogNoOpLogHandler() }
        let session = SalesforceSession(credentials: credentials, http: access.http, logger: logger)
        _ = try await session.current()
        return SalesforceClient(session: session, http: access.http, configuration: configuration, logger: logger)
    }
}

/// Which connection a command is about.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The connection, by its schema or id. Needed only if there are several.")
    var connection: String?

    /// A connection of the catalog.
    struct Found: Sendable {
        var id: String
        var schema: String
        var apiVersion: String?
    }

    /// - Throws: ``CommandFailure`` when there is none, or several and none was named.
    func find(in session: RelaySession) async throws -> Found {
        try await Self.find(connection, in: session)
    }

    static func find(_ name: String?, in session: RelaySession) async throws -> Found {
        let rows = try await session.postgres.query(
            "SELECT id, schema_name, api_version FROM public.hc_connection WHERE $1::text IS NULL OR $1 IN (id::text, schema_name::text) ORDER BY created_at",
            [.text(name)]
        ).rows
        guard let row = rows.first else {
            throw CommandFailure(
                name.map { "there is no connection \"\($0)\": hc-relay connection list shows them" }
                    ?? "there is no connection yet: make one with hc-relay connection add")
        }
        guard rows.count == 1 else {
            let schemas = rows.compactMap { $0["schema_name"] }.joined(separator: ", ")
            throw CommandFailure("there are several connections (\(schemas)): name one with --connection")
        }
        return Found(id: try row.value("id"), schema: try row.value("schema_name"), apiVersion: row["api_version"])
    }
}
