/// One reason why one record was refused. `statusCode` is an open string (API reference 7.2), `message` is Salesforce's text
/// unchanged, `fields` are the fields it named. What the code means for the record, the database decides (`hc_error_kind`).
public struct RecordError: Sendable, Equatable, CustomStringConvertible {
    public let statusCode: String
    public let message: String
    public let fields: [String]

    public init(statusCode: String, message: String, fields: [String] = []) {
        self.statusCode = statusCode
        self.message = message
        self.fields = fields
    }

    /// What a person can do about it, if that is known.
    public var advice: String? { Advice.text(code: statusCode, message: message) }

    /// `CODE: message`, as shown to users.
    public var description: String { "\(statusCode): \(message)" }
}
