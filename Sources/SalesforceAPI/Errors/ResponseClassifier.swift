import Foundation
import HTTPTransport

/// Turns an answer that is no success into the one error it means. Looks at the kind of body first, because Salesforce and the
/// networks before it answer with HTML in maintenance, even with status 200 (API reference 7.4).
enum ResponseClassifier {
    /// One error as REST, Bulk and OAuth write it.
    private struct Reason: Decodable {
        var errorCode: String?
        var statusCode: String?
        var exceptionCode: String?
        var message: String?
        var exceptionMessage: String?
        var fields: [String]?
        var error: String?
        var error_description: String?

        var code: String? { errorCode ?? statusCode ?? exceptionCode ?? error }
        var text: String { message ?? exceptionMessage ?? error_description ?? "" }
    }

    /// The error of `response`; nil when it is a success of the kind that `envelope` means.
    static func error(_ response: HTTPResponse, envelope: RequestErrorTable.Envelope, operation: String) -> SalesforceError? {
        error(head: response.head, body: response.body, envelope: envelope, operation: operation)
    }

    static func error(
        head: HTTPResponseHead, body: [UInt8], envelope: RequestErrorTable.Envelope, operation: String
    ) -> SalesforceError? {
        let status = head.status
        let requestID = head.headers.first("X-SFDC-Request-Id")
        func make(_ disposition: Disposition, _ code: String?, _ message: String, _ fields: [String] = []) -> SalesforceError {
            SalesforceError(
                disposition, code: code, message: message, fields: fields, status: status, requestID: requestID,
                operation: operation)
        }

        if [301, 302, 303, 307, 308].contains(status) {
            return make(.needsSession, nil, "the org has moved to another instance")
        }
        if isHTML(head, body) {
            return status == 401
                ? make(.needsSession, nil, "the session was refused")
                : make(bodyless(status, head.headers), nil, "Salesforce answered with a web page instead of data: maintenance or a network device in between")
        }
        if (200..<300).contains(status) { return nil }

        if envelope == .soap || envelope == .bulk1, let fault = XMLFault(body) {
            let disposition = RequestErrorTable.disposition(
                code: fault.code, message: fault.message, status: status, envelope: envelope,
                retryAfter: retryAfter(head.headers))
            return make(disposition, fault.code, shown(fault.code, fault.message))
        }
        if let reason = reason(body), let code = reason.code {
            return make(
                disposition(code, reason.text, status, envelope, head.headers), code, shown(code, reason.text),
                reason.fields ?? [])
        }
        if status == 403, String(decoding: body.prefix(64), as: UTF8.self).contains("OAuth_Token") {
            return make(.needsSession, "INVALID_SESSION_ID", "the session was refused")
        }
        return make(bodyless(status, head.headers), nil, "Salesforce answered with HTTP status \(status) and no readable reason")
    }

    private static func disposition(
        _ code: String, _ message: String, _ status: Int, _ envelope: RequestErrorTable.Envelope, _ headers: HTTPHeaders
    ) -> Disposition {
        // A token that has no right to the REST API stays without it after a renewal (API reference 1.8).
        if code == "INVALID_SESSION_ID", message.contains("not valid for use with the") { return .configuration }
        return RequestErrorTable.disposition(
            code: code, message: message, status: status, envelope: envelope, retryAfter: retryAfter(headers))
    }

    /// What a status alone says. Only those that a server sends before it runs anything prove that nothing ran.
    private static func bodyless(_ status: Int, _ headers: HTTPHeaders) -> Disposition {
        switch status {
        case 401: .needsSession
        case 429: .limit(retryAfter: retryAfter(headers) ?? .seconds(30))
        case 411, 413, 414, 415, 431: .bug
        case 405, 410: .configuration
        default: .inDoubt
        }
    }

    /// `Retry-After` in seconds; rarely present, honoured up to a day.
    static func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        headers.first("Retry-After").flatMap { Int($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 86_400)) : nil }
    }

    private static func isHTML(_ head: HTTPResponseHead, _ body: [UInt8]) -> Bool {
        if let type = head.headers.first("Content-Type")?.lowercased(), type.contains("html") { return true }
        let start = String(decoding: body.prefix(256), as: UTF8.self).drop { $0.isWhitespace }.lowercased()
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
    }

    /// The first reason of an error body, which is an array, except for OAuth and Bulk 1.0.
    private static func reason(_ body: [UInt8]) -> Reason? {
        guard let first = body.first(where: { $0 > 32 }), body.count <= 1 << 20 else { return nil }
        switch first {
        case UInt8(ascii: "["): return (try? JSONDecoder().decode([Reason].self, from: Data(body)))?.first
        case UInt8(ascii: "{"): return try? JSONDecoder().decode(Reason.self, from: Data(body))
        default: return nil
        }
    }

    /// A message about a session repeats part of the session's key, so it is never shown.
    private static func shown(_ code: String, _ message: String) -> String {
        switch code {
        case "INVALID_SESSION_ID", "InvalidSessionId", "INVALID_AUTH_HEADER":
            message.contains("not valid for use with the") ? message : "the session has expired or is invalid"
        default: message
        }
    }
}
