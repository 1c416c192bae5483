import Foundation
import GRDB

/// login() and what it says about the user (wire reference 3.3).
struct SOAPLogin {
    let request: SimRequest
    let version: String

    func answer(_ envelope: SOAPEnvelope, _ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        guard request.body.count <= 10_240 else { return SOAPFault.client("login request too large") }
        let name = envelope.text("username") ?? ""
        let password = envelope.text("password") ?? ""
        // The password is followed by a security token of any content.
        guard let user = try Sessions.userId(name, context.db), try LoginPolicy(context).obstacle(user) == nil,
            let known = context.state.settings.passwords.first(where: { $0.key.lowercased() == name.lowercased() })?.value,
            password.hasPrefix(known)
        else {
            throw APIError(500, "INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
        }
        call.user = user
        let token = try Sessions.openShared(user: user, context.state, context.db)
        let organization = String(context.state.settings.organizationId.prefix(15))
        let base = context.state.instance.url(for: request)
        var writer = XMLWriter("<result>")
        writer.element("metadataServerUrl", "\(base)/services/Soap/m/\(version)/\(organization)")
        writer.element("passwordExpired", "false")
        writer.element("sandbox", "false")
        writer.element("serverUrl", "\(base)/services/Soap/u/\(version)/\(organization)")
        writer.element("sessionId", token)
        writer.element("userId", user)
        writer.raw("<userInfo>" + (try SOAPLogin.userInfo(user, context)) + "</userInfo></result>")
        return SOAPReply.success("login", writer.text, used: nil, limit: 0)
    }

    static func userInfo(_ user: String, _ context: CallContext) throws -> String {
        let row = try Row.fetchOne(
            context.db, sql: "SELECT Username, Email, FirstName, LastName FROM \"User\" WHERE Id = ?", arguments: [user])
        func value(_ name: String) -> String? { row.flatMap { $0[name] } }
        let settings = context.state.settings
        let values: [(String, String?)] = [
            ("accessibilityMode", "false"), ("chatterExternal", "false"), ("currencySymbol", "$"), ("orgAttachmentFileSizeLimit", "5242880"),
            ("orgDefaultCurrencyIsoCode", "USD"), ("orgDefaultCurrencyLocale", "en_US"), ("orgDisallowHtmlAttachments", "false"),
            ("orgHasPersonAccounts", "false"), ("organizationId", settings.organizationId), ("organizationMultiCurrency", "false"),
            ("organizationName", settings.organizationName), ("profileId", RecordIdentifier.make(keyPrefix: "00e", number: 1)), ("roleId", nil),
            ("sessionSecondsValid", String(settings.sessionSeconds)), ("userDefaultCurrencyIsoCode", nil), ("userEmail", value("Email")),
            ("userFullName", [value("FirstName"), value("LastName")].compactMap(\.self).joined(separator: " ")), ("userId", user),
            ("userLanguage", "en_US"), ("userLocale", "en_US"), ("userName", value("Username")), ("userTimeZone", "GMT"),
            ("userType", "Standard"), ("userUiSkin", "Theme3"),
        ]
        var writer = XMLWriter()
        for (name, text) in values { writer.element(name, text) }
        return writer.text
    }
}
