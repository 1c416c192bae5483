import Configuration
import Foundation

/// The values of all settings: flag, then environment, then settings file, then default.
struct SettingValues: Sendable {
    private let values: [String: String]

    /// Reads every source and checks every value.
    ///
    /// - Parameters:
    ///   - commandLine: flags, and which file to read.
    ///   - environment: variables; an empty one counts as not set.
    /// - Throws: ``CommandFailure`` for a value that cannot be, a file that cannot be read, or a name that is no setting.
    init(commandLine: CommandLineSettings, environment: [String: String]) throws {
        for setting in SettingTable.all {
            if let value = commandLine.values[setting.name], let refusal = setting.refusalAsFlag(value) { throw CommandFailure(refusal) }
        }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                name: "flags", values: Dictionary(uniqueKeysWithValues: commandLine.values.map { (Self.key($0.key), ConfigValue(.string($0.value), isSecret: true)) })),
            EnvironmentVariablesProvider(environmentVariables: environment.filter { !$0.value.isEmpty }, secretsSpecifier: .all),
        ]
        if let file = commandLine.file ?? environment[SettingTable.fileVariable], !file.isEmpty {
            providers.append(try Self.provider(file: file))
        }
        let reader = ConfigReader(providers: providers)
        var values: [String: String] = [:]
        for setting in SettingTable.all {
            guard let value = reader.string(forKey: ConfigKey([setting.name]), isSecret: true) ?? setting.otherwise, !value.isEmpty
            else { continue }
            if let refusal = setting.refusal(value) { throw CommandFailure(refusal) }
            values[setting.name] = value
        }
        self.values = values
    }

    private static func key(_ name: String) -> AbsoluteConfigKey { AbsoluteConfigKey([name]) }

    /// Lines of `NAME=value`, as in a `.env` file; `#` begins a comment, quotes around a value are taken off.
    private static func provider(file: String) throws -> EnvironmentVariablesProvider {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure("cannot read the settings file \(file): check its name and its rights")
        }
        var values: [String: String] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].trimmingCharacters(in: .whitespaces)
            guard parts.count == 2, SettingTable.all.contains(where: { $0.name == name }) else {
                throw CommandFailure("\(file), line \(number + 1): \"\(name)\" is no setting; hc-relay settings lists them")
            }
            values[name] = unquoted(parts[1].trimmingCharacters(in: .whitespaces))
        }
        return EnvironmentVariablesProvider(environmentVariables: values, secretsSpecifier: .all)
    }

    private static func unquoted(_ value: String) -> String {
        for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
            return String(value.dropFirst().dropLast())
        }
        return value
    }

    subscript(setting: Setting) -> String? { values[setting.name] }

    /// A number that the table has checked and has a default for.
    func number(_ setting: Setting) -> Int { values[setting.name].flatMap { Int($0) } ?? 0 }

    func seconds(_ setting: Setting) -> Duration { .seconds(number(setting)) }

    /// - Throws: ``CommandFailure`` when it is not set.
    func required(_ setting: Setting, _ advice: String) throws -> String {
        guard let value = values[setting.name] else { throw CommandFailure("\(setting.name) is not set: \(advice)") }
        return value
    }
}
