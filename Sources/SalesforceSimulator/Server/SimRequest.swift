import Foundation

/// One request as the handlers see it: headers with lower-case names, path parts decoded, body inflated.
struct SimRequest: Sendable {
    var method: String
    /// The path as sent, without the query.
    var rawPath: String
    var segments: [String]
    var query: [String: String]
    var headers: [String: String]
    var body: Data
    /// The body of an upload, which is not held; `body` is empty then.
    var spooled: SpooledBody?
    var identifier: String
    /// Path and query as sent.
    let target: String
    /// The port the request came to; nil when it came over no socket.
    let localPort: Int?
    /// For calls that may wait long: their connection.
    var connection: ConnectionWatch?

    init(method: String, target: String, headers: [String: String], body: Data, identifier: String, localPort: Int? = nil) {
        self.target = target
        self.localPort = localPort
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        rawPath = parts.first.map(String.init) ?? "/"
        segments = rawPath.split(separator: "/").map { SimRequest.decode($0, plusIsSpace: false) }
        query = parts.count > 1 ? SimRequest.form(parts[1]) : [:]
        self.headers = headers
        self.body = body
        self.identifier = identifier
    }

    /// Every absolute address derives from the Host header, so that clients stay on the address they chose.
    var baseURL: String { "http://" + (headers["host"] ?? "127.0.0.1") }

    var bearerToken: String? {
        guard let value = headers["authorization"] else { return nil }
        for scheme in ["Bearer ", "OAuth ", "bearer "] where value.hasPrefix(scheme) { return String(value.dropFirst(scheme.count)) }
        return nil
    }

    var contentType: String { (headers["content-type"] ?? "").split(separator: ";").first.map { $0.lowercased() } ?? "" }

    /// The value of a header of the form `a=b, c=d` or `a=b; c=d`.
    func option(_ name: String, of header: String) -> String? {
        for part in (headers[header] ?? "").split(whereSeparator: { $0 == "," || $0 == ";" }) {
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if pair.count == 2, pair[0].lowercased() == name.lowercased() { return pair[1] }
        }
        return nil
    }

    /// The name the client gives itself.
    var client: String? { option("client", of: "sforce-call-options") }

    static func form(_ text: some StringProtocol) -> [String: String] {
        var result: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            result[decode(parts[0], plusIsSpace: true)] = parts.count > 1 ? decode(parts[1], plusIsSpace: true) : ""
        }
        return result
    }

    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16) {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index] == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
