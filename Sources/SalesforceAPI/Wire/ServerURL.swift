/// Scheme, host and port of a server that may be given credentials: `https`, or `http` on a loopback host.
struct ServerURL: Sendable, Equatable {
    /// Without a trailing slash.
    let text: String

    /// Reads `https://host[:port]` with an optional path of slashes only; nil for anything else, for user information in the
    /// address, and for plain `http` to another machine.
    init?(_ text: String) {
        let trimmed = Self.withoutTrailingSlashes(text)
        let isTLS = trimmed.lowercased().hasPrefix("https://")
        guard isTLS || trimmed.lowercased().hasPrefix("http://") else { return nil }
        let authority = trimmed.dropFirst(isTLS ? 8 : 7)
        guard !authority.isEmpty, !authority.contains(where: { "/@?#\\ ".contains($0) || $0.isNewline }),
            authority.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else { return nil }
        guard isTLS || Self.isLoopback(authority) else { return nil }
        self.text = trimmed
    }

    private static func withoutTrailingSlashes(_ text: String) -> String {
        var trimmed = text
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        return trimmed
    }

    private static func isLoopback(_ authority: Substring) -> Bool {
        let host: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return false }
            host = authority[...end]
        } else {
            host = authority.prefix { $0 != ":" }
        }
        return host == "127.0.0.1" || host.lowercased() == "localhost" || host == "[::1]"
    }
}
