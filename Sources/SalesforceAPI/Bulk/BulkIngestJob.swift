/// What an ingest job of either Bulk API is to do.
public struct BulkIngestOrder: Sendable, Equatable {
    public enum Operation: String, Sendable { case insert, update, upsert, delete }

    public var object: String
    public var operation: Operation
    /// Of an upsert.
    public var externalIDField: String?
    public var assignmentRuleID: String?

    public init(object: String, operation: Operation, externalIDField: String? = nil, assignmentRuleID: String? = nil) {
        self.object = object
        self.operation = operation
        self.externalIDField = externalIDField
        self.assignmentRuleID = assignmentRuleID
    }
}

/// Where an ingest job of Bulk API 2.0 stands (API reference 4.2). In lists also jobs of Bulk 1.0, whose type is `Classic`.
public struct BulkIngestJob: Sendable, Equatable, Decodable {
    public var id: String
    /// `Open`, `UploadComplete`, `InProgress`, `JobComplete`, `Failed`, `Aborted`; an open string.
    public var state: String
    public var object: String?
    public var operation: String?
    public var externalIdFieldName: String?
    public var createdById: String?
    public var createdDate: String?
    public var jobType: String?
    public var numberRecordsProcessed: Int?
    public var numberRecordsFailed: Int?
    public var errorMessage: String?

    /// Nothing more will happen to it.
    public var isSettled: Bool { ["JobComplete", "Failed", "Aborted"].contains(state) }
}

/// The three results of a job of Bulk API 2.0.
public enum BulkIngestResult: String, Sendable, CaseIterable {
    case successful = "successfulResults"
    case failed = "failedResults"
    /// Rows that nobody reached.
    case unprocessed = "unprocessedrecords"
}
