/// What a person can do about an error code. Texts follow API reference 1.4, 1.8 and 7.1.
enum Advice {
    static func text(code: String?, message: String) -> String? {
        guard let code else { return nil }
        if code == "invalid_grant" { return grant(message) }
        return byCode[code]
    }

    private static func grant(_ message: String) -> String {
        let text = message.lowercased()
        let known: [(String, String)] = [
            ("expired access/refresh token", "the refresh token was revoked, has expired or was rotated: authorize the connection again"),
            ("expired authorization code", "the assertion was expired on arrival: check this machine's clock"),
            ("hasn't approved this consumer", "pre-authorize the app for this user, in the app's policy and the user's profile or permission set"),
            ("audience", "set the audience to https://login.salesforce.com or, for a sandbox, https://test.salesforce.com"),
            ("invalid assertion", "the private key does not belong to the certificate that the app holds"),
            ("no client credentials user", "choose a run-as user for the client credentials flow of the app"),
            ("locked", "unlock the user in Salesforce"),
            ("inactive", "the user or the org is inactive"),
        ]
        return known.first { text.contains($0.0) }?.1
            ?? "check the user name, the login host, and the user's IP and hour restrictions"
    }

    private static let byCode: [String: String] = [
        "invalid_client": "check the client secret of the connection",
        "invalid_client_id": "check the client id (consumer key) of the connection",
        "invalid_app_access": "let an administrator approve the app for this user",
        "unsupported_grant_type": "enable this flow in the app's settings",
        "inactive_user": "activate the user in Salesforce",
        "inactive_org": "the org is inactive",
        "ip_restricted": "allow this machine's address in the user's profile or relax the app's IP policy",
        "rate_limit_exceeded": "too many logins of this user: at most 3,600 an hour",
        "INVALID_SESSION_ID": "a new session was refused as well: authorize the connection again",
        "INVALID_AUTH_HEADER": "a new session was refused as well: authorize the connection again",
        "INVALID_FIELD": fieldAdvice,
        "INVALID_FIELD_FOR_INSERT_UPDATE": "the sync user may not write the field: check field-level security, or map it read-only",
        "INVALID_TYPE": "the object does not exist in this org, or the sync user has no access to it: check its name and the user's permissions",
        "INVALIDENTITY": "Bulk does not serve this object: it is read through queries",
        "InvalidEntity": "Bulk does not serve this object: it is read through queries",
        "ENTITY_NOT_QUERYABLE": "this object cannot be queried, so it cannot be mapped",
        "INVALID_TYPE_FOR_OPERATION": "this object does not support the call",
        "NOT_FOUND": "check the object's name, the API version and the sync user's permissions",
        "API_DISABLED_FOR_ORG": "give the sync user's profile the permission API Enabled; the org's edition must include the API",
        "API_CURRENTLY_DISABLED": "the API of this org is switched off at the moment",
        "FUNCTIONALITY_NOT_ENABLED": "this feature is not enabled in the org",
        "FeatureNotEnabled": "this feature is not enabled for the sync user",
        "INSUFFICIENT_ACCESS": "give the sync user access to the object",
        "UNSUPPORTED_API_VERSION": "choose a newer API version for the connection",
        "InvalidVersion": "choose a newer API version for the connection",
        "QUERY_TOO_COMPLICATED": "map fewer fields, formulas first",
        "OPERATION_TOO_LARGE": "map fewer fields or filter the rows",
        "QUERY_TIMEOUT": "the query ran over two minutes: a smaller window or a Bulk job is needed",
        "REQUEST_LIMIT_EXCEEDED": "the org's API limit is used up: work goes on when the window moves",
        "ExceededQuota": "a Bulk limit of the org is used up: work goes on when the window moves",
        "STORAGE_LIMIT_EXCEEDED": "the org's storage is full",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": "Salesforce is read-only for maintenance: writes go on afterwards",
        "TRIAL_EXPIRED": "the org's trial has ended",
        "certificate_rejected": "the server's certificate is not trusted: check the host name and the CA bundle",
        "invalid_url": "give scheme and host, https unless the host is this machine",
        "invalid_private_key": "give an RSA private key in PEM, without a passphrase",
    ]

    private static let fieldAdvice =
        "the field does not exist or the sync user may not read it: check its name and field-level security"
}
