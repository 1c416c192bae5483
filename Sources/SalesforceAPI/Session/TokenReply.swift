import Foundation
import HTTPTransport

/// Reads what the token endpoint answers (API reference 1.2, 1.4).
enum TokenReply {
    struct Success: Decodable {
        var access_token: String
        var instance_url: String
        var id: String
        var refresh_token: String?
    }

    private struct Failure: Decodable {
        var error: String
        var error_description: String?
    }

    /// A login limit is counted by the hour.
    static let loginRateWait = Duration.seconds(3600)

    /// The grant of a successful reply; otherwise what went wrong. A failed token request never means that other work ran.
    static func read(_ response: HTTPResponse, operation: String) throws(SalesforceError) -> Success {
        if (200..<300).contains(response.status), let success = try? JSONDecoder().decode(Success.self, from: Data(response.body)) {
            return success
        }
        throw failure(response, operation: operation)
    }

    private static func failure(_ response: HTTPResponse, operation: String) -> SalesforceError {
        let status = response.status
        func error(_ disposition: Disposition, _ code: String?, _ message: String) -> SalesforceError {
            SalesforceError(
                disposition, code: code, message: message, status: status,
                requestID: response.headers.first("X-SFDC-Request-Id"), operation: operation)
        }
        if status < 500, let body = try? JSONDecoder().decode(Failure.self, from: Data(response.body.prefix(65_536))) {
            return error(disposition(body), body.error, body.error_description ?? body.error)
        }
        if (300..<400).contains(status) {
            return error(.configuration, nil, "the login host answers with a redirection; give the org's own My Domain host")
        }
        if status >= 500 || (200..<300).contains(status) || status == 420 {
            return error(.nothingRan(retryAfter: ResponseClassifier.retryAfter(response.headers)), nil, "the login host is not available, or down for maintenance")
        }
        if status == 429 {
            return error(.limit(retryAfter: ResponseClassifier.retryAfter(response.headers) ?? .seconds(60)), nil, "too many requests at the login host")
        }
        return error(.configuration, nil, "the login host does not answer as a Salesforce token endpoint; check its address")
    }

    private static func disposition(_ failure: Failure) -> Disposition {
        switch failure.error {
        case "invalid_grant":
            (failure.error_description ?? "").contains("expired access/refresh token") ? .needsSession : .configuration
        case "rate_limit_exceeded": .limit(retryAfter: loginRateWait)
        case "unknown_error", "server_error", "temporarily_unavailable": .nothingRan(retryAfter: nil)
        case "authorization_pending", "slow_down": .nothingRan(retryAfter: .seconds(5))
        default: .configuration
        }
    }
}
