import GRDB

/// A PushTopic as its record says it: which changes of which object become notifications (wire reference 5.6).
struct PushTopic: Sendable, Equatable {
    enum Fields: String, Sendable { case all = "All", referenced = "Referenced", select = "Select", `where` = "Where" }

    var name: String
    var query: String
    /// The object's name as describe spells it.
    var object: String
    var isActive: Bool
    var operations: Set<RecordChange.Kind>
    var notifyForFields: Fields
    /// Lower-case names of the fields in SELECT and in WHERE.
    var selected: Set<String>
    var filtered: Set<String>

    /// Every topic that is not deleted, by name; one whose query no longer fits its object stays silent.
    static func load(_ state: OrgState, _ db: Database) throws -> [String: PushTopic] {
        guard let definition = state.object(PushTopicObject.name) else { return [:] }
        var topics: [String: PushTopic] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM \(ObjectTable.quoted(definition.name)) WHERE IsDeleted = 0") {
            var values: RecordSaver.Values = [:]
            for (name, value) in row { values[name] = value }
            if let topic = try? PushTopic(values, state) { topics[topic.name] = topic }
        }
        return topics
    }

    /// - Throws: ``RecordError`` or ``APIError`` that tells what Salesforce does not take in the query.
    init(_ values: RecordSaver.Values, _ state: OrgState) throws {
        func text(_ field: String) -> String? { values[field].flatMap { String.fromDatabaseValue($0) } }
        func flag(_ field: String) -> Bool { values[field].flatMap { Bool.fromDatabaseValue($0) } ?? false }
        name = text("Name") ?? ""
        query = text("Query") ?? ""
        let parsed = try PushTopicQuery(query, state)
        object = parsed.object.name
        selected = parsed.selected
        filtered = parsed.filtered
        isActive = flag("IsActive")
        notifyForFields = text("NotifyForFields").flatMap { Fields(rawValue: $0) } ?? .referenced
        operations = []
        for (field, kind) in PushTopicObject.operations where flag(field) { operations.insert(kind) }
    }

    /// True when the topic tells of such a change, WHERE aside.
    func listens(to change: RecordChange) -> Bool {
        guard isActive, change.object == object, operations.contains(change.kind) else { return false }
        guard change.kind == .updated else { return true }
        let changed = Set(change.changedFields.map { $0.lowercased() })
        return switch notifyForFields {
        case .all: true
        case .referenced: !changed.isDisjoint(with: selected.union(filtered))
        case .select: !changed.isDisjoint(with: selected)
        case .where: !changed.isDisjoint(with: filtered)
        }
    }
}

/// The object whose records are the topics.
enum PushTopicObject {
    static let name = "PushTopic"

    /// Records per org; a control call may set it under `limits` (wire reference 5.6).
    static let limit = (name: "PushTopics", standard: 100)

    /// The fields that choose the kinds of changes.
    static let operations: [(field: String, kind: RecordChange.Kind)] = [
        ("NotifyForOperationCreate", .created), ("NotifyForOperationUpdate", .updated),
        ("NotifyForOperationDelete", .deleted), ("NotifyForOperationUndelete", .undeleted),
    ]

    static let definition: ObjectDefinition = {
        var object = ObjectDefinition(name, label: "Push Topic", keyPrefix: "0IF", fields: ObjectDefinition.systemFields(owner: false) + [
            .text("Name", 25).required.with { $0.nameField = true; $0.unique = true },
            .area("Query", 1_300).required,
            .decimal("ApiVersion", .double, 4, 1).required,
            FieldDefinition("IsActive", .boolean).with { $0.defaultValue = "true" },
            .choice("NotifyForFields", ["All", "Referenced", "Select", "Where"], restricted: true).with { $0.defaultValue = "Referenced" },
            .choice("NotifyForOperations", ["All", "Create", "Extended", "Update"], restricted: true).readOnly,
            .area("Description", 400),
        ] + operations.map { FieldDefinition($0.field, .boolean).with { $0.defaultValue = "true" } })
        object.bulkSupported = false
        object.triggerable = false
        object.undeletable = false
        return object
    }()
}

/// What a topic's query may be: one object with its Id, fields of its own, a filter at most.
struct PushTopicQuery {
    var object: ObjectDefinition
    var selected: Set<String> = []
    var filtered: Set<String> = []

    init(_ text: String, _ state: OrgState) throws {
        guard text.unicodeScalars.count <= 1_300 else { throw PushTopicQuery.refusal("large query, max 1300") }
        let query = try SOQLParser.parse(text)
        guard !query.items.contains(where: { if case .children = $0 { true } else { false } }) else {
            throw PushTopicQuery.refusal("relationships are not supported")
        }
        // Unknown objects and fields have the errors of any query.
        let plan = try QueryCompiler.compile(text, includesDeleted: true, schema: QuerySchema(now: state.now, object: { state.object($0) }))
        object = plan.object
        guard object.triggerable else { throw PushTopicQuery.refusal("Object type \(object.name) is not supported for push topics") }
        guard !query.countsRows, !plan.isAggregate else { throw PushTopicQuery.refusal("Aggregate queries are not supported") }
        guard query.order.isEmpty else { throw PushTopicQuery.refusal("'ORDER BY' is not allowed") }
        guard query.limit == nil else { throw PushTopicQuery.refusal("'LIMIT' is not allowed") }
        guard query.offset == nil else { throw PushTopicQuery.refusal("'OFFSET' is not allowed") }
        guard plan.joins.isEmpty, plan.columns.allSatisfy({ $0.path.count == 1 }) else {
            throw PushTopicQuery.refusal("relationships are not supported")
        }
        for column in plan.columns {
            guard column.field.kind != .textarea || column.field.length <= 255 && !column.field.isLongText else {
                throw PushTopicQuery.refusal("field \(column.field.name) is a text area and not supported")
            }
            selected.insert(column.field.name.lowercased())
        }
        guard selected.contains("id") else { throw PushTopicQuery.refusal("The query must select the Id field") }
        filtered = Set(query.condition.map { PushTopicQuery.fields(of: $0) } ?? [])
    }

    private static func refusal(_ message: String) -> RecordError { RecordError("INVALID_FIELD", message, ["Query"]) }

    private static func fields(of condition: SOQLQuery.Condition) -> [String] {
        switch condition {
        case .compare(let name, _, _): [name.text.lowercased()]
        case .list(let name, _, _): [name.text.lowercased()]
        case .choices(let name, _, _), .within(let name, _, _): [name.text.lowercased()]
        case .not(let inner): fields(of: inner)
        case .all(let parts), .any(let parts): parts.flatMap { fields(of: $0) }
        }
    }
}

extension RecordSaver {
    /// Checks a PushTopic on its way into the org; other objects pass.
    func checkPushTopic(_ record: Values, id: String) throws {
        guard object.name == PushTopicObject.name else { return }
        let limit = state.settings.otherLimits[PushTopicObject.limit.name] ?? PushTopicObject.limit.standard
        let others = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(ObjectTable.quoted(object.name)) WHERE IsDeleted = 0 AND Id <> ?", arguments: [id])
        guard others ?? 0 < limit else { throw RecordError("LIMIT_EXCEEDED", "The organization has reached its limit of \(limit) PushTopics") }
        do { _ = try PushTopic(record, state) } catch let error as APIError {
            throw RecordError(error.code, error.message, ["Query"])
        }
        guard let scaled = record["ApiVersion"].flatMap({ Int64.fromDatabaseValue($0) }), scaled > 200 else {
            throw RecordError("INVALID_FIELD", "ApiVersion must be greater than 20.0", ["ApiVersion"])
        }
    }
}
