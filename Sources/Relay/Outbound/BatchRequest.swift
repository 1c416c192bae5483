internal import SalesforceAPI

/// A batch as the database hands it out: changes of one object and one operation with wire-ready values, in the order their
/// results must come back.
struct BatchRequest: Decodable, Sendable, Equatable {
    enum Operation: String, Decodable, Sendable { case create, update, upsert, delete, undelete }

    struct Record: Decodable, Sendable, Equatable {
        struct Parent: Decodable, Sendable, Equatable {
            var relationship: String
            var object: String
            var field: String
            var value: String
        }

        var id: String?
        var fields: [String: String]?
        var nulls: [String]?
        var parents: [Parent]?
    }

    /// What the request asks of Salesforce besides its records.
    struct Options: Decodable, Sendable, Equatable {
        /// `default`, or the id of a rule.
        var assignmentRule: String?
        var allowDuplicates: Bool?

        private enum CodingKeys: String, CodingKey {
            case assignmentRule = "assignment_rule"
            case allowDuplicates = "allow_duplicates"
        }

        var forClient: WriteOptions {
            WriteOptions(
                assignmentRule: assignmentRule.map { $0 == "default" ? .useDefault : .rule(id: $0) },
                allowsDuplicates: allowDuplicates ?? false)
        }
    }

    var batch: Int
    var mapping: String
    var operation: Operation
    var object: String
    var externalIDField: String?
    var attempt: Int
    var options: Options?
    var records: [Record]

    private enum CodingKeys: String, CodingKey {
        case batch, mapping, operation, object, attempt, options, records
        case externalIDField = "external_id_field"
    }

    var writeOptions: WriteOptions { options?.forClient ?? WriteOptions() }

    /// The records as the Salesforce client takes them.
    var writeRecords: [WriteRecord] {
        records.map { record in
            WriteRecord(
                objectType: object, id: record.id,
                fields: (record.fields ?? [:]).sorted { $0.key < $1.key }.map { WriteField($0.key, $0.value) },
                nulls: record.nulls ?? [],
                parents: (record.parents ?? []).map {
                    ParentReference(
                        relationshipName: $0.relationship, parentType: $0.object, externalIDField: $0.field, value: $0.value)
                })
        }
    }

    /// `INSERT`, `UPDATE`, `UPSERT`, `DELETE` or `UNDELETE`, as log lines say it.
    var verb: String { operation == .create ? "INSERT" : operation.rawValue.uppercased() }
}
