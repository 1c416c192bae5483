/// The 15- and 18-character forms of a record id (API reference 8.1).
public enum SalesforceID {
    private static let checkAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".utf8)

    /// The 18-character form of `id`: each group of five characters gives one check character, in which bit i says that the
    /// character i is a capital. An 18-character id is returned as it is; nil when `id` is neither 15 nor 18 letters and digits.
    public static func normalized(_ id: String) -> String? {
        let bytes = Array(id.utf8)
        guard bytes.count == 15 || bytes.count == 18, bytes.allSatisfy(isAlphanumeric) else { return nil }
        guard bytes.count == 15 else { return id }
        var result = bytes
        for group in 0..<3 {
            var bits = 0
            for position in 0..<5 where (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[group * 5 + position]) {
                bits |= 1 << position
            }
            result.append(checkAlphabet[bits])
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Organization and user of an identity URL (`https://host/id/{organization}/{user}`), both in the 18-character form.
    public static func identity(url: String) -> (organizationID: String, userID: String)? {
        let parts = url.split(separator: "/")
        guard parts.count >= 3, parts[parts.count - 3] == "id",
            let organization = normalized(String(parts[parts.count - 2])),
            let user = normalized(String(parts[parts.count - 1]))
        else { return nil }
        return (organization, user)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
