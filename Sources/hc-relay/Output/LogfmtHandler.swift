import Foundation
import Logging

/// Writes log lines as Heroku Connect does: `event="..." object_type=... object_id=... state=... level=...`, then the facts in
/// order of their names (reference 8.1). To stderr, a line at a time.
struct LogfmtHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let write: @Sendable (String) -> Void

    init(level: Logger.Level, write: @escaping @Sendable (String) -> Void = Self.toStandardError) {
        logLevel = level
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }
        write(Self.line(event.message.description, event.level, facts, at: Date()))
    }

    private static let leading = ["object_type", "object_id", "state"]

    /// One line with its line end.
    static func line(_ event: String, _ level: Logger.Level, _ facts: Logger.Metadata, at time: Date) -> String {
        var line = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) + " event=" + quoted(event)
        for key in leading { if let value = facts[key] { line += " \(key)=\(field(value))" } }
        line += " level=\(level.rawValue)"
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) where !leading.contains(key) {
            let text = field(value)
            if text != "\"\"" { line += " \(key)=\(text)" }
        }
        return line + "\n"
    }

    private static func field(_ value: Logger.Metadata.Value) -> String {
        let text = "\(value)"
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return isPlain ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case ..<" ": quoted += " "
            default: quoted.unicodeScalars.append(character)
            }
        }
        return quoted + "\""
    }

    @Sendable private static func toStandardError(_ line: String) {
        FileHandle.standardError.write(Data(line.utf8))
    }
}
