/// Keeps tokens and long bodies out of messages. Salesforce repeats part of a session id in some faults (API reference 3.6).
enum Redaction {
    /// `text` on one line, at most `limit` characters, without control characters, each access token replaced.
    static func clean(_ text: String, limit: Int) -> String {
        var words: [Substring] = []
        var length = 0
        for word in text.split(whereSeparator: { $0.isWhitespace || ($0.asciiValue.map { $0 < 32 || $0 == 127 } ?? false) }) {
            let shown = looksLikeToken(word) ? "<redacted>" : word
            length += shown.count + 1
            guard length <= limit else {
                let room = limit - (length - shown.count - 1)
                if words.isEmpty, room > 1 { words.append(shown.prefix(room - 1)) }
                words.append("…")
                break
            }
            words.append(shown)
        }
        return words.joined(separator: " ")
    }

    /// An access token (`{org id}!…`), a refresh token (`5Aep…`), a bare JWT, or the head of a session key that begins with an
    /// org id and is no plain id.
    static func looksLikeToken(_ word: Substring) -> Bool {
        if let mark = word.firstIndex(of: "!"), word[..<mark].suffix(15).hasPrefix("00D") || word[..<mark].suffix(18).hasPrefix("00D") {
            return true
        }
        if word.contains("5Aep") && word.count > 20 { return true }
        return word.contains("eyJ") && word.filter { $0 == "." }.count >= 2
    }
}
