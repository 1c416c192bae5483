/// What a request asks for: the terms in which faults are matched and calls are logged.
struct CallDescription: Sendable {
    enum Family: String, Sendable { case oauth, rest, soap, bulk1, bulk2, streaming, control, other }

    var family: Family
    var operation: String
    var object: String?
    var version: String?
    /// Records of a write, as parsed.
    var records: [RecordInput] = []
    /// Ids of a delete or retrieve.
    var ids: [String] = []
    /// The field that an upsert goes by.
    var key: String?
    var user: String?
    var client: String?
    /// What the headers asked for, of a call that was understood.
    var options: CallOptions?
    /// Records answered or written.
    var recordCount = 0

    init(_ family: Family, _ operation: String, object: String? = nil, version: String? = nil) {
        self.family = family
        self.operation = operation
        self.object = object
        self.version = version
    }
}

extension CallDescription {
    var isWrite: Bool { ["create", "update", "upsert", "delete", "undelete"].contains(operation) }
}

extension ChangeOrigin {
    /// Nil for calls that change no records.
    init?(_ call: CallDescription) {
        switch call.family {
        case .rest: api = "rest"
        case .soap: api = "soap"
        case .bulk1, .bulk2: api = "bulkapi"
        default: return nil
        }
        version = call.version ?? ""
        client = call.client
    }
}
