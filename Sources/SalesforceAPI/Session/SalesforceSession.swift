public import Foundation
public import HTTPTransport
public import Logging

/// The session of one org: one token for all requests, renewed by one request however many callers find it expired.
public actor SalesforceSession {
    private let credentials: Credentials
    private let http: HTTPClient
    private let logger: Logger
    private let now: @Sendable () -> Date

    private var grant: AccessGrant?
    private var renewal: Task<Result<AccessGrant, SalesforceError>, Never>?
    private var refreshToken: Secret?
    /// A rotated refresh token that could not be stored yet.
    private var unstoredRotation: Secret?

    /// A session that logs in when first needed.
    /// - Parameters:
    ///   - grant: a grant kept from an earlier run, tried before a login.
    ///   - now: the clock that assertions are dated by.
    public init(
        credentials: Credentials, http: HTTPClient, grant: AccessGrant? = nil, logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.credentials = credentials
        self.http = http
        self.grant = grant
        self.logger = logger
        self.now = now
        if case .refreshToken(_, _, let token, _, _) = credentials { refreshToken = token }
    }

    /// The grant in use, after a login if there is none. Throws what the token endpoint answered.
    public func current() async throws(SalesforceError) -> AccessGrant {
        if let grant { return grant }
        return try await renewed(after: nil)
    }

    /// A grant newer than `stale`: the present one if somebody else renewed meanwhile, otherwise that of one token request
    /// that all callers share. Cancelling a caller does not cancel the request.
    public func renewed(after stale: AccessGrant?) async throws(SalesforceError) -> AccessGrant {
        if let grant, grant.generation > (stale?.generation ?? 0) { return grant }
        let task: Task<Result<AccessGrant, SalesforceError>, Never>
        if let renewal {
            task = renewal
        } else {
            task = Task { await self.renew() }
            renewal = task
        }
        return try await task.value.get()
    }

    private func renew() async -> Result<AccessGrant, SalesforceError> {
        defer { renewal = nil }
        do throws(SalesforceError) {
            if let unstoredRotation { await store(unstoredRotation) }
            let reply = try await requestToken()
            if let rotated = reply.refresh_token, case .refreshToken = credentials, rotated != refreshToken?.reveal() {
                refreshToken = Secret(rotated)
                await store(Secret(rotated))
            }
            let granted = try makeGrant(reply)
            grant = granted
            logger.debug("session renewed", metadata: ["sf.session.generation": "\(granted.generation)"])
            return .success(granted)
        } catch {
            return .failure(error)
        }
    }

    private func store(_ token: Secret) async {
        guard case .refreshToken(_, _, _, _, let rotated) = credentials else { return }
        do {
            try await rotated(token)
            unstoredRotation = nil
        } catch {
            unstoredRotation = token
            logger.debug("rotated refresh token not stored, will be offered again")
        }
    }

    private func makeGrant(_ reply: TokenReply.Success) throws(SalesforceError) -> AccessGrant {
        guard let instance = ServerURL(reply.instance_url) else {
            throw SalesforceError(
                .configuration, code: "invalid_url", message: "the token reply names an instance that is not https", operation: operation)
        }
        guard let identity = SalesforceID.identity(url: reply.id) else {
            throw SalesforceError(
                .configuration, message: "the token reply names no organization and user", operation: operation)
        }
        return AccessGrant(
            token: Secret(reply.access_token), instanceURL: instance.text, organizationID: identity.organizationID,
            userID: identity.userID, generation: (grant?.generation ?? 0) + 1)
    }

    private var operation: String { "login at \(ServerURL(credentials.loginURL)?.text ?? "the login host")" }

    private func requestToken() async throws(SalesforceError) -> TokenReply.Success {
        let sentAt = now()
        let response = try await post(try await form(at: sentAt))
        do throws(SalesforceError) {
            return try TokenReply.read(response, operation: operation)
        } catch {
            // The assertion was expired on arrival: this machine's clock is wrong. The server's own clock is in the answer.
            guard case .jwtBearer = credentials, error.code == "invalid_grant", error.message == "expired authorization code",
                let serverTime = response.headers.first("Date").flatMap(HTTPDate.parse),
                abs(serverTime.timeIntervalSince(sentAt)) > 30
            else { throw error }
            logger.info("clock differs from the login host's", metadata: [
                "sf.clock.difference": "\(Int(serverTime.timeIntervalSince(sentAt))) s"
            ])
            return try TokenReply.read(try await post(try await form(at: serverTime)), operation: operation)
        }
    }

    private func post(_ form: [(String, String)]) async throws(SalesforceError) -> HTTPResponse {
        guard let login = ServerURL(credentials.loginURL) else {
            throw SalesforceError(
                .configuration, code: "invalid_url", message: "the login host is not a usable address", operation: "login")
        }
        let request = HTTPRequest(
            method: .post, url: login.text + "/services/oauth2/token",
            headers: [
                HTTPHeader("Content-Type", "application/x-www-form-urlencoded"), HTTPHeader("Accept", "application/json"),
            ],
            body: .bytes(PercentEncoding.form(form)),
            timeouts: HTTPTimeouts(connect: .seconds(30), total: .seconds(90), stall: .seconds(60)))
        do {
            return try await http.send(request, maximumBodyBytes: 1 << 20)
        } catch {
            let failure = TransportFailure.error(error, operation: operation, isWrite: false)
            // Whatever became of the token request, the work that waits for it has not begun.
            guard failure.disposition == .inDoubt else { throw failure }
            throw SalesforceError(
                .nothingRan(retryAfter: nil), code: failure.code, message: failure.message, operation: operation)
        }
    }

    private func form(at time: Date) async throws(SalesforceError) -> [(String, String)] {
        switch credentials {
        case .jwtBearer(let clientID, let username, let key, let audience, _):
            let claims = JWTAssertion.claims(clientID: clientID, username: username, audience: audience, now: time)
            do {
                return [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", try await JWTAssertion.sign(claims, privateKeyPEM: key)),
                ]
            } catch {
                throw SalesforceError(
                    .configuration, code: "invalid_private_key", message: "the private key of the connection cannot be used",
                    operation: operation)
            }
        case .refreshToken(let clientID, let secret, let token, _, _):
            var form = [("grant_type", "refresh_token"), ("client_id", clientID)]
            if let secret { form.append(("client_secret", secret.reveal())) }
            form.append(("refresh_token", (refreshToken ?? token).reveal()))
            return form
        case .clientCredentials(let clientID, let secret, _):
            return [("grant_type", "client_credentials"), ("client_id", clientID), ("client_secret", secret.reveal())]
        }
    }
}
