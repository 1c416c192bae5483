/// Text that must never be shown: a token, a client secret, a private key.
///
/// Every way of printing it gives `<redacted>`; ``reveal()`` is the only way to the text, and is called where the text goes
/// on the wire.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Wraps `text`.
    public init(_ text: String) { self.text = text }

    /// The text itself, for the wire or for encrypted storage.
    public func reveal() -> String { text }

    /// True when there is nothing to hide.
    public var isEmpty: Bool { text.isEmpty }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
