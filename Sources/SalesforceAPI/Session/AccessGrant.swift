/// What the last token reply granted. `instanceURL` may differ from the login host and may change with any renewal, so it is
/// read from here for each request and never kept.
public struct AccessGrant: Sendable, Equatable {
    /// The access token, which is also the session id of SOAP and Bulk 1.0.
    public let token: Secret
    /// Scheme, host and port of the org, without a trailing slash.
    public let instanceURL: String
    /// The org, 18 characters.
    public let organizationID: String
    /// The user the relay acts as, 18 characters.
    public let userID: String
    /// Counts renewals of one session, from 1. Two requests that failed with the same generation need one renewal.
    public let generation: Int

    public init(token: Secret, instanceURL: String, organizationID: String, userID: String, generation: Int) {
        self.token = token
        self.instanceURL = instanceURL
        self.organizationID = organizationID
        self.userID = userID
        self.generation = generation
    }

    /// True for a JWT-format access token: three non-empty parts of base64url separated by dots. SOAP refuses those (API
    /// reference 0.1); an ordinary token is the org id, `!`, and a part that may hold dots too.
    public var isJWTFormat: Bool {
        let parts = token.reveal().split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy {
                        SalesforceID.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
    }
}
