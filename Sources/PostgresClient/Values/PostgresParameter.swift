public import Foundation

/// A value for `$1`, `$2` and so on, sent as text; the server infers its type, so an ambiguous place needs a cast (`$1::int`).
public enum PostgresParameter: Sendable, Hashable {
    case null
    /// Text, or NULL.
    case text(String?)
    /// The bytes of a value's text form in UTF-8, sent as they are: a JSON page, for instance.
    case bytes([UInt8])

    public static func int(_ value: some BinaryInteger) -> Self { .text(String(value)) }
    public static func bool(_ value: Bool) -> Self { .text(value ? "t" : "f") }
    public static func double(_ value: Double) -> Self { .text("\(value)") }
    public static func uuid(_ value: UUID) -> Self { .text(value.uuidString) }
    public static func json(_ text: String) -> Self { .text(text) }
    public static func json(_ utf8: [UInt8]) -> Self { .bytes(utf8) }
    /// Any bytes, for a parameter of type `bytea`.
    public static func bytea(_ value: [UInt8]) -> Self {
        let digits = Array("0123456789abcdef".utf8)
        return .bytes(Array("\\x".utf8) + value.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
    /// An array of text, in PostgreSQL's array notation.
    public static func textArray(_ values: [String?]) -> Self {
        let items = values.map { value in
            guard let value else { return "NULL" }
            return "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return .text("{" + items.joined(separator: ",") + "}")
    }
    /// An array of integers, in PostgreSQL's array notation.
    public static func intArray(_ values: [some BinaryInteger]) -> Self {
        .text("{" + values.map { String($0) }.joined(separator: ",") + "}")
    }
}

extension PostgresParameter: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
}
