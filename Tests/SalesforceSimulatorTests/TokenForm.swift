import Foundation

/// Forms as clients send them to the OAuth resources.
enum TokenForm {
    static func post(
        _ client: OrgClient, _ fields: [String: String], to resource: String = "token", headers: [String: String] = [:]
    ) async throws -> Answer {
        let body = fields.map { OrgClient.encode($0.key) + "=" + OrgClient.encode($0.value) }.joined(separator: "&")
        return try await client.send(
            "POST", "/services/oauth2/" + resource, body: body, type: "application/x-www-form-urlencoded", headers: headers)
    }

    static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static let clientCredentials = ["grant_type": "client_credentials", "client_id": "hc-sync-sample", "client_secret": "sample-secret"]
    static let password = [
        "grant_type": "password", "client_id": "hc-sync-sample", "client_secret": "sample-secret", "username": "integration@example.com",
        "password": "sample-passwordTOKEN",
    ]
}
