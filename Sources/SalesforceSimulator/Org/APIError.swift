/// A request-level refusal: REST's `[{message, errorCode}]`, SOAP's fault, Bulk's error (wire reference 7.1).
struct APIError: Error, Sendable {
    var status: Int
    var code: String
    var message: String
    var fields: [String] = []
    /// For METHOD_NOT_ALLOWED: the header `Allow`.
    var allowedMethods: [String] = []
    /// Row and column of a query error, counted from 1.
    var position: (row: Int, column: Int)?
    var duplicate: DuplicateResult?

    init(_ status: Int, _ code: String, _ message: String, fields: [String] = []) {
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
    }

    static func notFound(_ message: String = "The requested resource does not exist") -> APIError {
        APIError(404, "NOT_FOUND", message)
    }

    static func unknownType(_ name: String) -> APIError {
        APIError(400, "INVALID_TYPE", "sObject type '\(name)' is not supported. If you are attempting to use a custom object, "
            + "be sure to append the '__c' after the entity name. "
            + "Please reference your WSDL or the describe call for the appropriate names.")
    }

    static let session = APIError(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

/// The refusal of one record: `statusCode`, `message`, `fields` of a save result (wire reference 7.2).
struct RecordError: Error, Sendable, Equatable {
    var code: String
    var message: String
    var fields: [String]
    var duplicate: DuplicateResult?

    init(_ code: String, _ message: String, _ fields: [String] = []) {
        self.code = code
        self.message = message
        self.fields = fields
    }

    static let rolledBack = RecordError(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header")
}
