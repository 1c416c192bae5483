import Foundation
import GRDB

/// Binary fields: written as base64 text, kept as such, read from a path of their own.
enum BinaryContent {
    /// Bytes of one attachment.
    private static let largest = 26_214_400

    /// The text without line breaks.
    ///
    /// - Throws: INVALID_TYPE_ON_FIELD_IN_RECORD when it is no base64, MAXIMUM_SIZE_OF_ATTACHMENT when it is too much.
    static func stored(_ text: String, field: FieldDefinition) throws -> DatabaseValue {
        let body = text.filter { !$0.isWhitespace }
        guard let data = Data(base64Encoded: body) else {
            throw RecordError("INVALID_TYPE_ON_FIELD_IN_RECORD", "\(field.label): value not of required type: no base64", [field.name])
        }
        guard data.count <= largest else {
            throw RecordError("MAXIMUM_SIZE_OF_ATTACHMENT", "\(field.label): \(data.count) bytes are more than \(largest)", [field.name])
        }
        return data.base64EncodedString().databaseValue
    }

    /// The number of bytes behind stored text.
    static func length(of value: DatabaseValue) -> DatabaseValue {
        guard let text = String.fromDatabaseValue(value) else { return 0.databaseValue }
        return (text.utf8.count / 4 * 3 - text.utf8.suffix(2).filter { $0 == UInt8(ascii: "=") }.count).databaseValue
    }
}
