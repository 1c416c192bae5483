internal import Foundation

/// One setting: the only place that says what it is called, what it may be and what it does.
struct Setting: Sendable {
    /// What a value must be.
    enum Kind: Sendable, Equatable {
        case text
        /// Whole number.
        case number(ClosedRange<Int>)
        /// Whole seconds.
        case seconds(ClosedRange<Int>)
        /// `host:port`.
        case address
        /// One of these words.
        case choice([String])

        /// As the table of settings writes it.
        var text: String {
            switch self {
            case .text: "text"
            case .number(let range): "\(range.lowerBound) to \(range.upperBound)"
            case .seconds(let range): "\(range.lowerBound) to \(range.upperBound) s"
            case .address: "host:port"
            case .choice(let words): words.joined(separator: ", ")
            }
        }
    }

    /// The variable in the environment and the name in the settings file.
    let name: String
    let kind: Kind
    /// What holds when nobody sets it; nil for none.
    let otherwise: String?
    let isSecret: Bool
    /// One sentence.
    let about: String

    init(_ name: String, _ kind: Kind, default otherwise: String? = nil, secret: Bool = false, _ about: String) {
        self.name = name
        self.kind = kind
        self.otherwise = otherwise
        isSecret = secret
        self.about = about
    }

    /// The flag on the command line: the name in small letters, without `HC_`.
    var flag: String {
        let short = name.hasPrefix("HC_") ? name.dropFirst(3) : name[...]
        return "--" + short.lowercased().replacing("_", with: "-")
    }

    /// Why `value` cannot be taken; nil when it can. Does not repeat the value of a secret.
    func refusal(_ value: String) -> String? {
        let isGood: Bool =
            switch kind {
            case .text: true
            case .number(let range), .seconds(let range): Int(value).map(range.contains) ?? false
            case .address: ListenAddress(value) != nil
            case .choice(let words): words.contains(value)
            }
        guard !isGood else { return nil }
        return "\(name) cannot be \(isSecret ? "what it is" : "\"\(value)\""): give \(expected)"
    }

    /// Why `value` cannot stand on the command line, where every user of the machine sees it in the process list; nil when it can.
    /// A database's address may, unless it has a password.
    func refusalAsFlag(_ value: String) -> String? {
        guard isSecret else { return nil }
        if name == SettingTable.databaseURL.name, !Self.hasPassword(value) { return nil }
        let what = name == SettingTable.databaseURL.name ? "a password in \(flag)" : flag
        return "\(what) would stand in the process list: set \(name) in the environment or in a settings file (\(SettingTable.fileFlag) FILE)"
    }

    /// Whether a URI or keywords of libpq carry a password, of the user or of the client's key.
    private static func hasPassword(_ database: String) -> Bool {
        if database.range(of: "password *=", options: [.regularExpression, .caseInsensitive]) != nil { return true }
        guard let scheme = database.range(of: "://") else { return false }
        let authority = database[scheme.upperBound...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
    }

    private var expected: String {
        switch kind {
        case .text: "a text"
        case .number(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .seconds(let range): "whole seconds from \(range.lowerBound) to \(range.upperBound)"
        case .address: "host and port, such as 127.0.0.1:8081"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        }
    }
}

/// Where the relay's own server listens.
struct ListenAddress: Sendable, Equatable {
    let host: String
    let port: Int

    /// Reads `127.0.0.1:8081`, `:8081` (this machine only) or `[::1]:8081`; nil for anything else.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        else if host.contains(":") { return nil }
        self.host = host.isEmpty ? "127.0.0.1" : String(host)
        self.port = port
    }
}
