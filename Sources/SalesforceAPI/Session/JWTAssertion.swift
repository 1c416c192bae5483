import Foundation
import JWTKit

/// The signed assertion of the JWT bearer flow (API reference 1.3).
enum JWTAssertion {
    /// How long an assertion is valid. Short, because it is used at once.
    static let lifetime: TimeInterval = 180

    struct Claims: JWTPayload, Equatable {
        var iss: String
        var sub: String
        var aud: String
        /// Seconds since 1970.
        var exp: Int

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    struct UnusableKey: Error {}

    static func claims(clientID: String, username: String, audience: String, now: Date) -> Claims {
        Claims(iss: clientID, sub: username, aud: audience, exp: Int(now.timeIntervalSince1970 + lifetime))
    }

    /// The compact form, signed with RS256, the only algorithm Salesforce takes.
    static func sign(_ claims: Claims, privateKeyPEM: Secret) async throws -> String {
        let keys = JWTKeyCollection()
        do {
            await keys.add(rsa: try Insecure.RSA.PrivateKey(pem: privateKeyPEM.reveal()), digestAlgorithm: .sha256)
        } catch {
            // The parser's own error may quote the key.
            throw UnusableKey()
        }
        return try await keys.sign(claims)
    }
}
