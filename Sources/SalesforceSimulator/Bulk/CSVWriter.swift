/// CSV as Bulk answers it: every value quoted, null as an empty value (wire reference 4.4).
struct CSVWriter {
    private(set) var text = ""
    let separator: String
    let lineEnding: String

    init(separator: String = ",", lineEnding: String = "\n") {
        self.separator = separator
        self.lineEnding = lineEnding
    }

    mutating func line(_ values: [String?]) {
        var first = true
        for value in values {
            if !first { text += separator }
            first = false
            text += "\""
            if let value {
                if value.utf8.contains(UInt8(ascii: "\"")) { text += value.replacing("\"", with: "\"\"") } else { text += value }
            }
            text += "\""
        }
        text += lineEnding
    }

    /// Text of another format, as it is.
    mutating func raw(_ fragment: String) { text += fragment }

    mutating func takeText() -> String {
        defer { text = "" }
        return text
    }
}
