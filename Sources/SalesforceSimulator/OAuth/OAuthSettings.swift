/// How the org hands out tokens: what differs between orgs, or is known only from hearsay (wire reference 1).
struct OAuthSettings: Codable, Sendable, Equatable {
    /// The username-password flow; newer orgs block it.
    var allowsPasswordFlow = false
    /// `code_challenge_method=plain`, which Salesforce does not offer.
    var acceptsPlainChallenge = false
    /// Seconds until an authorization code that nobody redeemed is worthless.
    var codeSeconds = 900
    /// Tokens that one user is given in an hour before `rate_limit_exceeded`.
    var loginsPerHour = 3_600
    /// A user who may not log in is told apart by `error` (`inactive_user`), not only by the description of `invalid_grant`.
    var namesUserStates = false
    /// Seconds a JWT-format access token lives, used or not.
    var tokenSeconds = 1_800
    /// The text for a wrong `aud`: `audience is invalid` or `Audience validation failed`, both are seen.
    var audienceMessage = "audience is invalid"
    /// User names, in lower case, whose login is locked, and those that come from a refused address.
    var lockedUsers: Set<String> = []
    var restrictedUsers: Set<String> = []
}

extension OrgSettings {
    /// A connected app: who may ask for tokens, and how.
    struct App: Codable, Sendable, Equatable {
        var clientId: String
        var clientSecret: String
        /// The key of JWT bearer assertions: a PEM certificate or public key.
        var certificate: String?
        /// The user a client-credentials token runs as; nil: the flow is refused.
        var runAs: String?
        /// Users who approved the app, or whom an administrator approved; nil: everyone.
        var approvedUsers: [String]?
        /// Users whose profile or permission set has the app; the others are not admin approved. Nil: everyone.
        var admittedUsers: [String]?
        /// A refresh answers a new refresh token and ends the old one.
        var rotatesRefreshTokens = false
        /// Addresses the web server flow may go back to, byte for byte.
        var callbacks: [String]?
        /// Scopes a client may ask for; nil: any.
        var scopes: [String]?
        /// Values of `grant_type`, or their last part, that the app may use; nil: any.
        var flows: [String]?
        /// Access tokens are signed JWTs, which SOAP refuses.
        var issuesJWT: Bool?
        /// A code is redeemed without a secret when a verifier proves the client.
        var needsNoSecret: Bool?
        /// A refresh must show the secret.
        var needsSecretToRefresh: Bool?
        /// An authorization without a code challenge is refused.
        var needsChallenge: Bool?

        init(clientId: String, clientSecret: String, runAs: String? = nil) {
            self.clientId = clientId
            self.clientSecret = clientSecret
            self.runAs = runAs
        }
    }
}
