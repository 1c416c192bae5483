import Crypto
import Foundation

/// JWTs that the org signs: access tokens in JWT format, and id tokens. They are signed with the app's secret (HS256), which a client can check.
enum SignedToken {
    /// Three parts of base64url: what every API takes for a JWT, valid or not.
    static func hasShape(_ token: String) -> Bool {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 && !token.contains("!") && parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { ($0 | 32 >= 97 && $0 | 32 <= 122) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
        }
    }

    static func identity(_ issued: IssuedGrant, subject: String, issuer: String, _ state: OrgState) -> String {
        let now = state.machineNow / 1_000
        return sign([
            "iss": .string(issuer), "sub": .string(subject), "aud": .string(issued.app.clientId), "iat": .int(now), "exp": .int(now + 120),
        ], header: ["alg": "HS256", "typ": "JWT"], secret: issued.app.clientSecret)
    }

    static func access(_ issued: IssuedGrant, expires: Int64, _ request: SimRequest, _ state: OrgState) -> String {
        let organization = state.settings.organizationId
        let scopes = issued.scope.split(separator: " ").map(String.init)
        return sign([
            "scp": .string(scopes.joined(separator: " ")), "aud": [.string(state.instance.url(for: request))],
            "sub": .string("uid:" + issued.user), "iss": .string(request.baseURL), "client_id": .string(issued.app.clientId),
            "exp": .int(expires / 1_000), "iat": .int(state.machineNow / 1_000), "jti": .string(Sessions.randomText(24)),
        ], header: [
            "tnk": .string("core/sim/" + organization), "ver": "1.0", "tty": "sfdc-core-token", "typ": "JWT", "alg": "HS256",
        ], secret: issued.app.clientSecret)
    }

    private static func sign(_ claims: JSON, header: JSON, secret: String) -> String {
        let text = base64URL(Data(header.text.utf8)) + "." + base64URL(Data(claims.text.utf8))
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return text + "." + base64URL(Data(code))
    }

    static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
