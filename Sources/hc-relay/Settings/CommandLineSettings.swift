/// The command line, taken apart: flags that are settings, and the rest for the command itself. Every command takes every
/// setting, and the table is the only place that names them.
struct CommandLineSettings: Sendable {
    /// Values by the setting's name.
    var values: [String: String] = [:]
    /// The settings file, if one is named.
    var file: String?
    /// What is left.
    var arguments: [String] = []

    /// - Throws: ``CommandFailure`` for a flag without a value.
    init(_ commandLine: [String]) throws {
        let byFlag = Dictionary(uniqueKeysWithValues: SettingTable.all.map { ($0.flag, $0.name) })
        var rest = commandLine[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                arguments.append(argument)
                arguments.append(contentsOf: rest)
                return
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts[0])
            guard argument.hasPrefix("--"), byFlag[flag] != nil || flag == SettingTable.fileFlag else {
                arguments.append(argument)
                continue
            }
            guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
                throw CommandFailure("\(flag) needs a value: \(flag) VALUE")
            }
            if let name = byFlag[flag] { values[name] = value } else { file = value }
        }
    }
}
