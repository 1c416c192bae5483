internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// The org of one connection, for all lanes of one leadership: logged in, and proven to be the org that the connection
/// belongs to, before anything is sent or merged.
actor OrgAccess {
    private let client: SalesforceClient
    private let database: ProtocolSession
    private let log: EventLog
    private var identified = 0
    private var login = LoginBackoff()

    /// - Throws: ``RelayError`` when no credentials are set.
    init(_ access: SalesforceAccess, database: ProtocolSession, log: EventLog, governor: (any CallGovernor)? = nil) throws {
        guard let credentials = access.credentials else {
            throw RelayError(
                .noCredentials,
                "no Salesforce credentials: set SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET, SALESFORCE_REFRESH_TOKEN, or SALESFORCE_USERNAME and SALESFORCE_PRIVATE_KEY")
        }
        var configuration = access.client
        if let version = database.connection.apiVersion.flatMap({ APIVersion($0) }) { configuration.apiVersion = version }
        let session = SalesforceSession(credentials: credentials, http: access.http, logger: log.logger)
        client = SalesforceClient(session: session, http: access.http, configuration: configuration, logger: log.logger, governor: governor)
        self.database = database
        self.log = log
    }

    /// The client, after a login if there is none. While logins fail, most calls throw the last failure without a new attempt.
    ///
    /// - Throws: ``SalesforceError`` of the login; ``PostgresError``; ``RelayError`` for another org's credentials.
    func ready() async throws -> SalesforceClient {
        if let failure = login.refusal(at: .now) { throw failure }
        do {
            let grant = try await client.session.current()
            if grant.generation != identified { try await identify(grant) }
            return client
        } catch let error as SalesforceError {
            await report(error)
            throw error
        }
    }

    /// What a lane met when it talked to the org: a refused session closes the org to all lanes for a while.
    func met(_ error: SalesforceError) async {
        if error.disposition == .needsSession { await report(error) }
    }

    private func identify(_ grant: AccessGrant) async throws {
        // For the whole connection, whichever lane comes first.
        let now = try await CallPurpose.$current.withValue(nil) { try await client.serverTimestamp() }
        do throws(PostgresError) {
            try await database.call("hc_identify", .text(grant.organizationID), .text(grant.userID), .text(now))
        } catch {
            guard error.isWrongState else { throw error }
            let failure = SalesforceError(
                .configuration, code: "other_organization", message: error.serverMessage ?? "the credentials belong to another org",
                operation: "login")
            throw failure
        }
        try await noteLoopback(Loopback.isLoopback(url: grant.instanceURL))
        identified = grant.generation
        if login.isFailing { log.sync("SALESFORCE AUTHORIZED", level: .notice) }
        login = LoginBackoff()
        log.sync("LOGIN SALESFORCE", level: .debug, [
            "organization_id": .string(grant.organizationID), "session": .stringConvertible(grant.generation),
        ])
    }

    /// Only the clock of an org on this machine may be moved (design section 7, Clock).
    private func noteLoopback(_ isLoopback: Bool) async throws(PostgresError) {
        _ = try await database.session.postgres.query(
            """
            UPDATE public.hc_connection SET settings = settings || jsonb_build_object('org_is_loopback', $2::boolean)
             WHERE id = $1 AND (settings ->> 'org_is_loopback')::boolean IS DISTINCT FROM $2::boolean
            """, [.text(database.connection.id), .bool(isLoopback)])
    }

    private func report(_ error: SalesforceError) async {
        let wait = login.failed(error, at: .now)
        let isNew = login.failures == 1
        log.sync("LOGIN SALESFORCE FAILED", state: "UNAUTHORIZED", level: isNew ? .error : .warning, [
            "error": .stringConvertible(error), "retry_ms": .stringConvertible(wait.milliseconds),
        ])
        guard isNew, !error.disposition.isTransient else { return }
        do throws(PostgresError) {
            try await database.raise("salesforce-authorization", level: "error", error.description)
            _ = try await database.session.postgres.query(
                """
                UPDATE public.hc_connection SET state = 'UNAUTHORIZED', state_detail = $3
                 WHERE id = $1 AND epoch = $2 AND state <> 'PAUSED'
                """, database.prefix + [.text(error.description)])
        } catch {
            // The lanes meet the database's failure themselves.
        }
    }
}
