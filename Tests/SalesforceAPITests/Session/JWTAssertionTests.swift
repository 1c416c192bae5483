import Foundation
import Testing
import _CryptoExtras

@testable import SalesforceAPI

@Suite("JWT assertion")
struct JWTAssertionTests {
    private func decode(_ part: Substring) throws -> Data {
        var text = part.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return try #require(Data(base64Encoded: text))
    }

    @Test("claims are the app, the user, the login host and three minutes, signed with RS256")
    func claims() async throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let claims = JWTAssertion.claims(
            clientID: "3MVG9key", username: "sync@example.com", audience: "https://login.salesforce.com",
            now: Date(timeIntervalSince1970: 1_704_067_200))
        let assertion = try await JWTAssertion.sign(claims, privateKeyPEM: Secret(key.pemRepresentation))
        let parts = assertion.split(separator: ".")
        #expect(parts.count == 3)
        let header = try #require(try JSONSerialization.jsonObject(with: decode(parts[0])) as? [String: Any])
        #expect(header["alg"] as? String == "RS256")
        let payload = try #require(try JSONSerialization.jsonObject(with: decode(parts[1])) as? [String: Any])
        #expect(payload["iss"] as? String == "3MVG9key")
        #expect(payload["sub"] as? String == "sync@example.com")
        #expect(payload["aud"] as? String == "https://login.salesforce.com")
        #expect(payload["exp"] as? Int == 1_704_067_380)
        #expect(payload.count == 4)
        let signature = _RSA.Signing.RSASignature(rawRepresentation: try decode(parts[2]))
        #expect(key.publicKey.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8), padding: .insecurePKCS1v1_5))
    }

    @Test("a key that is none is refused, without showing it")
    func badKey() async {
        let claims = JWTAssertion.claims(clientID: "a", username: "b", audience: "c", now: Date())
        await #expect(throws: JWTAssertion.UnusableKey.self) {
            try await JWTAssertion.sign(claims, privateKeyPEM: Secret("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"))
        }
    }

    @Test(
        "a JWT-format token is told from a session id",
        arguments: [
            ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln-_", true), ("00Dxx0000001gPL!AQ8A.QExA.mPlE", false), ("00Dxx0000001gPL!AQ8AQ", false),
            ("a.b", false), ("a..c", false), ("a.b.c.d", false),
        ])
    func format(token: String, expected: Bool) {
        let grant = AccessGrant(token: Secret(token), instanceURL: "https://x", organizationID: "o", userID: "u", generation: 1)
        #expect(grant.isJWTFormat == expected)
    }
}
