import Foundation

/// The reply of the token endpoint: which keys it has depends on the flow (wire reference 1.2).
struct TokenReply {
    let request: SimRequest
    let context: CallContext

    func json(_ issued: IssuedGrant) throws -> JSON {
        let state = context.state
        let token: String
        if issued.app.issuesJWT == true {
            token = try Sessions.openJWT(issued, request, state, context.db)
        } else if issued.sharesSession {
            token = try Sessions.openShared(user: issued.user, state, context.db)
        } else {
            token = try Sessions.open(user: issued.user, app: issued.app.clientId, scope: issued.scope, state, context.db)
        }
        let identity = IdentityDocument.address(issued.user, request, state)
        var reply: JSON = ["access_token": .string(token)]
        if let refresh = issued.refreshToken { reply.set("refresh_token", .string(refresh)) }
        let issuedAt = String(state.machineNow)
        if issued.isSigned { reply.set("signature", .string(Sessions.signature(identity + issuedAt, secret: issued.app.clientSecret))) }
        if issued.namesScope { reply.set("scope", .string(issued.scope)) }
        if issued.scope.split(separator: " ").contains("openid") {
            reply.set("id_token", .string(SignedToken.identity(issued, subject: identity, issuer: request.baseURL, state)))
        }
        reply.set("instance_url", .string(state.instance.url(for: request)))
        reply.set("id", .string(identity))
        reply.set("token_type", "Bearer")
        if issued.isSigned { reply.set("issued_at", .string(issuedAt)) }
        return reply
    }
}

/// JSON unless the form or the Accept header asks for another format.
struct TokenFormat {
    private let name: String

    init(_ form: [String: String], _ request: SimRequest) {
        let accepted = (request.headers["accept"] ?? "").split(separator: ",").first.map(String.init) ?? ""
        name = form["format"] ?? (accepted == "application/xml" ? "xml" : accepted == "application/x-www-form-urlencoded" ? "urlencoded" : "json")
    }

    func reply(_ value: JSON, status: Int = 200) -> Reply {
        var reply: Reply
        switch name {
        case "xml":
            var writer = XMLWriter(#"<?xml version="1.0" encoding="UTF-8"?><OAuth>"#)
            for member in value.members { writer.element(member.key, member.value.string) }
            writer.close("OAuth")
            reply = .text(status, writer.text, type: "application/xml;charset=UTF-8")
        case "urlencoded":
            let text = value.members.map { $0.key + "=" + URLText.encode($0.value.string ?? "") }.joined(separator: "&")
            reply = .text(status, text, type: "application/x-www-form-urlencoded;charset=UTF-8")
        default: reply = .json(status, value)
        }
        reply.headers.append(("Cache-Control", "no-store"))
        return reply
    }
}

/// Text inside an address.
enum URLText {
    private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~".utf8)

    /// Every byte that is not unreserved becomes `%XX`; with `plus` a space becomes `+`, as in a form.
    static func encode(_ text: String, plus: Bool = false) -> String {
        var output = ""
        for byte in text.utf8 {
            if plain.contains(byte) {
                output.unicodeScalars.append(Unicode.Scalar(byte))
            } else if plus, byte == UInt8(ascii: " ") {
                output += "+"
            } else {
                output += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return output
    }
}
