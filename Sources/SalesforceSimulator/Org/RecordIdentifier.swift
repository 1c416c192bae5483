/// Record ids: 15 case-sensitive characters, or 18 with three check characters (wire reference 8.1).
enum RecordIdentifier {
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let checkCharacters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".utf8)

    /// The instance characters of every record of this org.
    static let instance = "xx"

    /// The id with its check characters; bit i of a group of five is set where the i-th character is a capital.
    static func withCheckCharacters(_ fifteen: String) -> String {
        let bytes = Array(fifteen.utf8.prefix(15))
        var result = bytes
        for group in 0..<3 {
            var bits = 0
            for index in 0..<5 where (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[group * 5 + index]) {
                bits |= 1 << index
            }
            result.append(checkCharacters[bits])
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The 18-character form of a 15- or 18-character id; nil when it is malformed or its check characters are wrong.
    static func normalized(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count == 15 || bytes.count == 18, bytes.allSatisfy({ digits.contains($0) }) else { return nil }
        let full = withCheckCharacters(text)
        if bytes.count == 18 {
            guard full == text else { return nil }
        }
        return full
    }

    /// The id of an object's record number, counted from 1.
    static func make(keyPrefix: String, number: Int64) -> String {
        var rest = number
        var characters = [UInt8](repeating: UInt8(ascii: "0"), count: 10)
        var index = 9
        while rest > 0, index >= 0 {
            characters[index] = digits[Int(rest % 62)]
            rest /= 62
            index -= 1
        }
        return withCheckCharacters(keyPrefix + instance + String(decoding: characters, as: UTF8.self))
    }

    static func keyPrefix(of id: String) -> String { String(id.prefix(3)) }
}
