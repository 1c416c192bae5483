import Foundation

extension Fault {
    enum Substitute: Sendable {
        case reply(Reply)
        case error(APIError)
    }

    /// The HTTP status that REST gives a code (wire reference 2.2).
    private static func status(of code: String) -> Int {
        switch code {
        case "INVALID_SESSION_ID", "INVALID_AUTH_HEADER": 401
        case "REQUEST_LIMIT_EXCEEDED", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "INSUFFICIENT_ACCESS": 403
        case "NOT_FOUND", "ENTITY_IS_DELETED": 404
        case "UNSUPPORTED_API_VERSION": 410
        case "UNKNOWN_EXCEPTION", "APEX_ERROR": 500
        case "SERVER_UNAVAILABLE": 503
        default: 400
        }
    }

    static let maintenancePage = """
        <html><head><title>Maintenance</title></head><body><h1>We are down for maintenance.</h1>\
        <p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>
        """

    /// The two texts by which a client tells the daily limit from the concurrent one (wire reference 7.1).
    static let dailyLimit = APIError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    static let concurrentLimit = APIError(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")

    /// What is answered instead of doing the work.
    var substitute: Substitute? {
        switch kind {
        case .error: .error(APIError(status ?? Fault.status(of: code), code, message, fields: fields))
        case .dailyLimit: .error(Fault.dailyLimit)
        case .concurrentLimit: .error(Fault.concurrentLimit)
        case .queryTimeout: .error(APIError(400, "QUERY_TIMEOUT", message.isEmpty ? "Your query request was running for too long." : message))
        case .unavailable:
            .reply(.json(503, [["message": .string(message.isEmpty ? "Server too busy" : message), "errorCode": "SERVER_UNAVAILABLE"]]))
        case .unavailableHTML: .reply(.text(503, Fault.maintenancePage, type: "text/html;charset=UTF-8"))
        case .html: .reply(.text(200, Fault.maintenancePage, type: "text/html;charset=UTF-8"))
        case .dropBeforeCommit:
            .reply({
                var reply = Reply(0)
                reply.drops = true
                return reply
            }())
        default: nil
        }
    }

    /// Changes an answer on its way out.
    func shape(_ reply: inout Reply) {
        switch kind {
        case .dropAfterCommit: reply.drops = true
        case .delay where !waitsBefore: reply.delay = milliseconds
        case .truncate: reply.truncation = fraction
        case .slowBody: reply.bytesPerSecond = max(1, bytesPerSecond)
        case .dropPage: DroppedPage.empty(&reply)
        default: break
        }
        // Any fault may answer late, a lost connection too.
        if kind != .delay, kind != .lateCommit, kind != .abandon { reply.delay = milliseconds }
    }
}

/// A page that has lost its records while everything around them is as it should be: totals, locators, `latestDateCovered`.
///
/// Lost are exactly the `records`, `ids` or `deletedRecords` of one REST or SOAP answer, or every line but the first of one CSV; asking for
/// the same page again brings them.
enum DroppedPage {
    static func empty(_ reply: inout Reply) {
        let type = reply.headers.first { $0.0 == "Content-Type" }?.1 ?? ""
        guard reply.status == 200 else { return }
        switch reply.body {
        case .file(let prefix, let path, let offset, _):
            reply.body = .file(prefix: prefix, path: path, offset: offset, length: 0)
            countNothing(&reply)
        case .data(let data) where type.hasPrefix("text/csv"):
            reply.body = .data(data.firstIndex(of: UInt8(ascii: "\n")).map { data[...$0] } ?? data)
            countNothing(&reply)
        case .data(let data) where type.hasPrefix("application/json"):
            guard var document = try? JSONParser.parse(data) else { return }
            for key in ["records", "ids", "deletedRecords"] where document[key] != nil { document.set(key, []) }
            if case .array = document { document = [] }
            reply.body = .data(Data(document.text.utf8))
        case .data(let data):
            var text = String(decoding: data, as: UTF8.self)
            for name in ["records", "ids", "deletedRecords"] {
                guard let first = text.range(of: "<\(name)>") ?? text.range(of: "<\(name) "),
                    let last = text.range(of: "</\(name)>", options: .backwards)
                else { continue }
                text.removeSubrange(first.lowerBound..<last.upperBound)
            }
            reply.body = .data(Data(text.utf8))
        }
    }

    private static func countNothing(_ reply: inout Reply) {
        for index in reply.headers.indices where reply.headers[index].0.lowercased() == "sforce-numberofrecords" { reply.headers[index].1 = "0" }
    }
}
