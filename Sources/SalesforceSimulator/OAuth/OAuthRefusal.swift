/// An error of the token endpoint: `{"error", "error_description"}` (wire reference 1.4).
struct OAuthRefusal: Error {
    var status = 400
    var error: String
    /// Some replies have none.
    var description: String

    init(_ error: String, _ description: String, status: Int = 400) {
        self.error = error
        self.description = description
        self.status = status
    }

    static let code = OAuthRefusal("invalid_grant", "expired authorization code")
    static let secret = OAuthRefusal("invalid_client", "invalid client credentials", status: 401)
    static let grant = OAuthRefusal("unsupported_grant_type", "grant type not supported")

    var json: JSON {
        var value: JSON = ["error": .string(error)]
        if !description.isEmpty { value.set("error_description", .string(description)) }
        return value
    }
}
