/// What became of one record.
public struct WriteResult: Sendable, Equatable {
    /// The record's id, 18 characters, when it was written.
    public let id: String?
    public let success: Bool
    /// True when an upsert or create made the record.
    public let created: Bool
    public let errors: [RecordError]
    /// False when the record was refused here, before sending, because it would have spoiled the whole call.
    public let wasSent: Bool

    public init(id: String?, success: Bool, created: Bool, errors: [RecordError], wasSent: Bool = true) {
        self.id = id
        self.success = success
        self.created = created
        self.errors = errors
        self.wasSent = wasSent
    }

    static func refused(_ error: RecordError) -> WriteResult {
        WriteResult(id: nil, success: false, created: false, errors: [error], wasSent: false)
    }
}

/// The answer to one writing call: a result for each record, in the order given.
public struct WriteReply: Sendable, Equatable {
    public let results: [WriteResult]
    /// Salesforce's id of the request, if it gave one.
    public let requestID: String?
    /// From sending to the whole answer; zero when nothing had to be sent.
    public let duration: Duration

    public init(results: [WriteResult], requestID: String?, duration: Duration) {
        self.results = results
        self.requestID = requestID
        self.duration = duration
    }
}

/// Records read by their ids.
public struct RetrievedRecords: Sendable, Equatable {
    /// A JSON array with one element for each id asked for, in that order: a record of the shape that queries give, or `null`
    /// for an id that is unknown, deleted or not visible. By SOAP every value is a string as SOAP writes it, because the wire
    /// carries no types.
    public let records: [UInt8]
    public let count: Int
    public let requestID: String?
    public let duration: Duration
}
