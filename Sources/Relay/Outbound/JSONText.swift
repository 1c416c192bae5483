internal import SalesforceAPI

/// Writes the few JSON documents that the relay makes itself. PostgreSQL's `jsonb` has no U+0000, so it is left out.
struct JSONText {
    private(set) var text = ""

    /// One object; members without a value become null, keys come in order.
    mutating func object(_ strings: [String: String?], numbers: [String: Int?] = [:]) {
        var members: [(String, String)] = strings.map { ($0.key, $0.value.map(Self.quoted) ?? "null") }
        members += numbers.map { ($0.key, $0.value.map { String($0) } ?? "null") }
        text += "{" + members.sorted { $0.0 < $1.0 }.map { "\(Self.quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }

    /// `{"results":[{"id","success","created","errors"}],"request_id","duration_ms"}`.
    mutating func append(_ reply: WriteReply) {
        text += #"{"results":["#
        for (index, result) in reply.results.enumerated() {
            if index > 0 { text += "," }
            text += #"{"id":\#(result.id.map(Self.quoted) ?? "null"),"success":\#(result.success),"created":\#(result.created),"errors":["#
            text += result.errors.map { error in
                let fields = error.fields.map(Self.quoted).joined(separator: ",")
                return #"{"code":\#(Self.quoted(error.statusCode)),"message":\#(Self.quoted(error.message)),"fields":[\#(fields)]}"#
            }.joined(separator: ",")
            text += "]}"
        }
        text += #"],"request_id":\#(reply.requestID.map(Self.quoted) ?? "null"),"duration_ms":\#(reply.duration.milliseconds)}"#
    }

    static func quoted(_ value: String) -> String {
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}": break
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
