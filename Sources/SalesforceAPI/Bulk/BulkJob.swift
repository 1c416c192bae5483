/// Where a query job of Bulk API 2.0 stands (API reference 4.3).
public struct BulkQueryJob: Sendable, Equatable, Decodable {
    public var id: String
    /// `UploadComplete`, `InProgress`, `JobComplete`, `Failed`, `Aborted`; an open string.
    public var state: String
    public var object: String?
    public var operation: String?
    public var createdById: String?
    public var createdDate: String?
    public var numberRecordsProcessed: Int?
    public var retries: Int?
    public var totalProcessingTime: Int?
    public var errorMessage: String?

    /// The results can be read.
    public var isComplete: Bool { state == "JobComplete" }
    /// Nothing more will happen, and there are no results.
    public var isFailed: Bool { state == "Failed" || state == "Aborted" }
}

/// What precedes the bytes of a page of a Bulk result.
public struct BulkResultHead: Sendable, Equatable {
    /// Where the next page is; nil on the last one (the wire says `null`) and in Bulk 1.0.
    public let nextLocator: String?
    /// Records in this page, by `Sforce-NumberOfRecords`; nil where the answer does not say.
    public let numberOfRecords: Int?
    /// Bytes of the body on the wire if the answer says and it is not compressed; nil otherwise. ``CSVPageFilter/bytesRead``
    /// of a whole page is equal to it.
    public let bodyLength: Int?
}

/// The links of one look at `resultPages` (58.0 and later).
public struct BulkResultPages: Sendable, Equatable {
    /// Locators of up to five pages; nil stands for the first page.
    public let locators: [String?]
    /// Where the next look continues; nil when these were the last.
    public let nextRecordsURL: String?
}

/// A job of Bulk API 1.0 (API reference 4.1).
public struct Bulk1Job: Sendable, Equatable {
    public var id: String
    /// `Open`, `Closed`, `Aborted`, `Failed`.
    public var state: String
}

/// A batch of a Bulk 1.0 job. With PK chunking the first one turns `NotProcessed` and others appear.
public struct Bulk1Batch: Sendable, Equatable {
    public var id: String
    /// `Queued`, `InProgress`, `Completed`, `Failed`, `NotProcessed`.
    public var state: String
    public var stateMessage: String?
    public var numberRecordsProcessed: Int

    /// Nothing more will happen to it.
    public var isSettled: Bool { state != "Queued" && state != "InProgress" }
}
