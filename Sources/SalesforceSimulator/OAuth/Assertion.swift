import Crypto
import Foundation
import _CryptoExtras

/// A JWT bearer assertion: read, then checked against the app's certificate (wire reference 1.3).
struct Assertion {
    struct Malformed: Error {}

    var issuer: String
    var subject: String
    var audience: String
    /// Epoch seconds; a JSON number or a string of digits.
    var expires: Int64
    var identifier: String?
    private var signedPart: Data
    private var signature: Data

    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Assertion.decode(parts[0]), let claims = Assertion.decode(parts[1]),
            let signature = Assertion.decode(parts[2]),
            let head = try? JSONParser.parse(header), head["alg"]?.string == "RS256",
            let body = try? JSONParser.parse(claims), let issuer = body["iss"]?.string,
            let subject = body["sub"]?.string ?? body["prn"]?.string, let expires = body["exp"]?.int
        else { throw Malformed() }
        self.issuer = issuer
        self.subject = subject
        self.audience = body["aud"]?.string ?? body["aud"]?.elements.first?.string ?? ""
        self.expires = Int64(expires)
        self.identifier = body["jti"]?.string
        self.signedPart = Data((parts[0] + "." + parts[1]).utf8)
        self.signature = signature
    }

    private static func decode(_ text: Substring) -> Data? {
        var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        while base64.utf8.count % 4 != 0 { base64 += "=" }
        return Data(base64Encoded: String(base64))
    }

    /// - Parameter certificate: A PEM certificate or public key.
    func isSigned(by certificate: String) -> Bool {
        guard let key = Assertion.publicKey(certificate) else { return false }
        return key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: signedPart), padding: .insecurePKCS1v1_5)
    }

    static func publicKey(_ pem: String) -> _RSA.Signing.PublicKey? {
        guard pem.contains("BEGIN CERTIFICATE") else { return try? _RSA.Signing.PublicKey(pemRepresentation: pem) }
        let base64 = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }.joined()
        guard let der = Data(base64Encoded: base64), let key = CertificateReader.publicKey(in: [UInt8](der)) else { return nil }
        return try? _RSA.Signing.PublicKey(derRepresentation: key)
    }
}

/// Finds the public key in an X.509 certificate: the first member of a sequence that is itself an algorithm and a bit string.
enum CertificateReader {
    private struct Element {
        var tag: UInt8
        var start: Int
        var content: Range<Int>
    }

    static func publicKey(in bytes: [UInt8]) -> [UInt8]? {
        guard let certificate = element(bytes, at: 0), let body = element(bytes, at: certificate.content.lowerBound) else { return nil }
        var position = body.content.lowerBound
        var members: [Element] = []
        while position < body.content.upperBound, let member = element(bytes, at: position) {
            members.append(member)
            position = member.content.upperBound
        }
        // version [0] is optional; then serial, algorithm, issuer, validity, subject, key (RFC 5280, 4.1).
        let index = members.first?.tag == 0xA0 ? 6 : 5
        guard members.count > index else { return nil }
        return Array(bytes[members[index].start..<members[index].content.upperBound])
    }

    private static func element(_ bytes: [UInt8], at start: Int) -> Element? {
        guard start + 2 <= bytes.count else { return nil }
        var position = start + 2
        var length = Int(bytes[start + 1])
        if length >= 0x80 {
            let count = length & 0x7F
            guard count <= 4, position + count <= bytes.count else { return nil }
            length = bytes[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
            position += count
        }
        guard position + length <= bytes.count else { return nil }
        return Element(tag: bytes[start], start: start, content: position..<position + length)
    }
}
