internal import SalesforceAPI

/// What `hc_bulk_next` says is to be done with the job of a batch.
struct BulkStep: Decodable, Sendable {
    enum Action: String, Decodable, Sendable {
        case create
        /// A job may have been made whose id nobody knows.
        case find
        case upload
        /// Rows may have arrived, and nothing says whether all have.
        case abandon
        case close
        /// The job may be closed.
        case ask
        case look, read, end, nothing
    }

    enum API: String, Decodable, Sendable { case bulk1, bulk2 }

    var action: Action
    var mapping: String
    var api: API?
    var object: String?
    var operation: String?
    var externalIDField: String?
    /// The id of an assignment rule.
    var assignmentRule: String?
    var isSerial: Bool?
    var rows: Int?
    var job: String?
    /// The batch of a job of Bulk 1.0.
    var part: String?
    /// As what the job has settled.
    var state: String?
    /// The result to read next.
    var file: String?
    /// The CSV: its header line, and the COPY that gives its rows.
    var header: String?
    var copy: String?
    /// For the log.
    var note: String?

    private enum CodingKeys: String, CodingKey {
        case mapping, api, object, operation, rows, job, part, state, file, header, copy, note
        case action = "do"
        case externalIDField = "external_id_field"
        case assignmentRule = "assignment_rule"
        case isSerial = "serial"
    }

    var order: BulkIngestOrder? {
        guard let object, let operation = operation.flatMap(BulkIngestOrder.Operation.init(rawValue:)) else { return nil }
        return BulkIngestOrder(object: object, operation: operation, externalIDField: externalIDField, assignmentRuleID: assignmentRule)
    }
}

/// What `hc_bulk_end` says became of the rows of a job.
struct BulkSummary: Decodable, Sendable {
    var rows: Int?
    var failed: Int?
    /// Rows with lock errors, which go again one after another.
    var serial: Int?
    /// Rows that the job did not reach.
    var again: Int?
    /// Rows that no result names.
    var doubtful: Int?
    var note: String?
}
