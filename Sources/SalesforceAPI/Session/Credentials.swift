/// What a connection proves itself with at the token endpoint (API reference 1.2).
///
/// `loginURL` is scheme and host, for example `https://login.salesforce.com` or `https://acme.my.salesforce.com`; plain `http`
/// is accepted for a loopback host only.
public enum Credentials: Sendable {
    /// A signed assertion for a user who has pre-authorized the app. `privateKeyPEM` is an RSA key in PEM; `audience` is
    /// `https://login.salesforce.com` or `https://test.salesforce.com` (API reference 1.3).
    case jwtBearer(clientID: String, username: String, privateKeyPEM: Secret, audience: String, loginURL: String)

    /// A refresh token from an earlier authorization. Some apps rotate it: a reply with a new one kills the old one, so
    /// `rotated` must have stored the new token durably when it returns. A call that throws is repeated at the next renewal,
    /// and the session goes on with the new token from memory.
    case refreshToken(
        clientID: String, clientSecret: Secret?, refreshToken: Secret, loginURL: String,
        rotated: @Sendable (Secret) async throws -> Void)

    /// The app's own run-as user; works only with a My Domain host as `loginURL` (API reference 1.1).
    case clientCredentials(clientID: String, clientSecret: Secret, loginURL: String)

    /// The login host these credentials are presented to.
    public var loginURL: String {
        switch self {
        case .jwtBearer(_, _, _, _, let url), .refreshToken(_, _, _, let url, _), .clientCredentials(_, _, let url): url
        }
    }
}
