import GRDB

/// Makes the notifications of topics from committed changes.
struct PushTopicNotices {
    let state: OrgState
    let db: Database

    /// Appends the notifications of a commit to the log.
    ///
    /// - Returns: The channels that have got any.
    func append(_ committed: CommittedChanges) throws -> Set<StreamChannel> {
        if committed.changes.contains(where: { $0.object == PushTopicObject.name }) { state.streaming.topics = nil }
        let objects = Set(committed.changes.map(\.object))
        let topics = try state.pushTopics(db).values.filter { objects.contains($0.object) && $0.isActive }
        var channels: Set<StreamChannel> = []
        for topic in topics.sorted(by: { $0.name < $1.name }) {
            // A field may be gone since the topic was made; then it stays silent.
            let schema = QuerySchema(now: state.now, object: { state.object($0) })
            guard let plan = try? QueryCompiler.compile(topic.query, includesDeleted: true, schema: schema) else { continue }
            for change in committed.changes where topic.listens(to: change) {
                guard let sobject = try sobject(change, plan) else { continue }
                let body: JSON = [
                    "event": [
                        "createdDate": .string(TimeText.zulu(committed.committedAt)), "replayId": .number(EventStore.replayMark),
                        "type": .string(change.kind.rawValue),
                    ],
                    "sobject": sobject,
                ]
                try EventStore.append(.topic(topic.name), at: committed.committedAt, body: body.text, db)
                channels.insert(.topic(topic.name))
            }
        }
        return channels
    }

    /// The selected fields of a record that matches the topic's filter; nil when it does not. A deleted record shows only its Id.
    private func sobject(_ change: RecordChange, _ plan: QueryPlan) throws -> JSON? {
        let condition = (plan.condition.isEmpty ? "" : "(" + plan.condition + ") AND ") + "t0.Id = ?"
        let statement = try db.cachedStatement(sql: "SELECT " + plan.selection + plan.from + " WHERE " + condition)
        let row = try Row.fetchOne(statement, arguments: StatementArguments(plan.arguments + [change.id.databaseValue]))
        if change.kind == .deleted {
            // A record erased past the recycle bin can be matched no more: its notification goes out.
            let table = ObjectTable.quoted(plan.object.name)
            let isErased = try row == nil && String.fetchOne(db, sql: "SELECT Id FROM \(table) WHERE Id = ?", arguments: [change.id]) == nil
            guard row != nil || isErased else { return .none }
            return .some(["Id": .string(change.id)])
        }
        return row.map { row in
            let record = QueryRunner.record(plan, row)
            return .object(record.fields.map { JSON.Member(key: $0.0, value: $0.1.eventJSON) })
        }
    }
}

extension ResultValue {
    /// The value in an event: as in REST, but times end in `Z` (wire reference 5.6).
    var eventJSON: JSON {
        switch self {
        case .null, .record, .children, .binary: .null
        case .text(let text), .date(let text): .string(text)
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .decimal(let digits): .number(digits)
        case .dateTime(let instant): .string(TimeText.zulu(instant))
        case .time(let time): .string(TimeText.timeOfDay(time))
        case .compound(_, let parts): .object(parts.map { JSON.Member(key: $0.0, value: $0.1.eventJSON) })
        }
    }
}
