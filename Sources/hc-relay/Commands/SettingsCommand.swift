import ArgumentParser
import Foundation

struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Lists every setting.",
        discussion: "A flag wins over a variable, a variable over the settings file (--settings FILE or HC_SETTINGS, lines of NAME=value).")

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, markdown }

    @Option(help: "How to show the list: table, json, or markdown rows as the README has them.")
    var output: Format = .table

    func run() async throws {
        switch output {
        case .table:
            Render.table(
                ["variable", "flag", "value", "default", "what it says"],
                SettingTable.all.map { [$0.name, Self.flag(of: $0) ?? "", $0.kind.text, $0.otherwise ?? "", Self.about($0)] })
        case .markdown:
            for setting in SettingTable.all {
                print("| `\(setting.name)` | \(setting.otherwise.map { "`\($0)`" } ?? "") | \(Self.about(setting)) |")
            }
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(SettingTable.all.map(Row.init)), as: UTF8.self))
        }
    }

    private static func about(_ setting: Setting) -> String { setting.about + (setting.isSecret ? " Secret." : "") }

    /// Flags and what they say, for the help of a command.
    static var flags: String {
        SettingTable.all.compactMap { setting in
            flag(of: setting).map { "  \($0) \(setting.kind.text)\(setting.otherwise.map { " (\($0))" } ?? ""): \(setting.about)" }
        }.joined(separator: "\n")
    }

    /// Secrets have none: the process list would show them.
    private static func flag(of setting: Setting) -> String? { setting.refusalAsFlag("") == nil ? setting.flag : nil }

    private struct Row: Encodable {
        var name: String
        var flag: String?
        var value: String
        var `default`: String?
        var secret: Bool
        var about: String

        init(_ setting: Setting) {
            name = setting.name
            flag = SettingsCommand.flag(of: setting)
            value = setting.kind.text
            `default` = setting.otherwise
            secret = setting.isSecret
            about = setting.about
        }
    }
}
