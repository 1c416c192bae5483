import Crypto
import Foundation
import GRDB

/// Makes change events from committed changes (wire reference 5.7).
struct ChangeEvents {
    let state: OrgState
    let db: Database

    /// Record ids of one merged event.
    private static let mergedRecords = 1_000

    /// An event before it has its place in the log.
    private struct Draft {
        var object: ObjectDefinition
        var header: ChangeEventHeader
        var fields: [JSON.Member]
        /// What two changes must share to become one event.
        var likeness: String
    }

    /// Appends the events of a commit to the log.
    ///
    /// - Returns: The channels that have got any.
    func append(_ committed: CommittedChanges) throws -> Set<StreamChannel> {
        let selected = Set(state.streaming.settings.changeDataCapture)
        guard !selected.isEmpty else { return [] }
        let changes = ChangeEvents.combined(committed.changes.filter { selected.contains($0.object) })
        guard !changes.isEmpty else { return [] }
        var drafts: [Draft] = []
        var places: [String: Int] = [:]
        var counts: [String: Int] = [:]
        var overflowed: Set<String> = []
        var sequence = 0
        func header(_ change: RecordChange, _ type: String, _ ids: [String]) -> ChangeEventHeader {
            sequence += 1
            return ChangeEventHeader(
                entityName: change.object, recordIds: ids, changeType: type, changeOrigin: committed.origin?.text ?? "",
                transactionKey: committed.transactionKey, sequenceNumber: sequence, commitTimestamp: committed.committedAt,
                commitNumber: committed.commitNumber, commitUser: change.user)
        }
        for change in changes {
            guard let object = state.object(change.object) else { continue }
            counts[change.object, default: 0] += 1
            guard counts[change.object, default: 0] <= state.streaming.settings.overflowRecords else {
                if overflowed.insert(change.object).inserted {
                    drafts.append(Draft(
                        object: object, header: header(change, "GAP_OVERFLOW", [ChangeEventHeader.noRecord]), fields: [], likeness: ""))
                }
                continue
            }
            let payload = ChangeEventPayload(change, of: object)
            if state.streaming.settings.mergesChanges, let place = places[payload.likeness],
                drafts[place].header.recordIds.count < ChangeEvents.mergedRecords {
                drafts[place].header.recordIds.append(change.id)
                continue
            }
            var event = header(change, payload.changeType, [change.id])
            event.nulledFields = payload.nulledFields
            event.changedFields = payload.changedFields
            places[payload.likeness] = drafts.count
            drafts.append(Draft(object: object, header: event, fields: payload.fields, likeness: payload.likeness))
        }
        var channels: Set<StreamChannel> = [.allChanges]
        for draft in drafts {
            try append(draft.object, draft.header, draft.fields, at: committed.committedAt)
            channels.insert(.changes(draft.object.name))
        }
        return channels
    }

    /// One event of a record in a transaction: of the first change's kind, with what the transaction leaves behind. A delete stays one.
    private static func combined(_ changes: [RecordChange]) -> [RecordChange] {
        var result: [RecordChange] = []
        var places: [String: Int] = [:]
        for change in changes {
            guard let place = places[change.id], change.kind != .deleted, result[place].kind != .deleted else {
                places[change.id] = result.count
                result.append(change)
                continue
            }
            let known = Set(result[place].changedFields)
            result[place].changedFields += change.changedFields.filter { !known.contains($0) }
            result[place].values.merge(change.values) { _, new in new }
        }
        return result
    }

    /// An event that stands for changes whose fields are not told.
    func appendGap(_ object: ObjectDefinition, ids: [String], kind: String, user: String) throws {
        let isOverflow = kind == "OVERFLOW"
        let header = ChangeEventHeader(
            entityName: object.name, recordIds: isOverflow ? [ChangeEventHeader.noRecord] : ids, changeType: "GAP_" + kind, changeOrigin: "",
            transactionKey: UUID().uuidString.lowercased(), sequenceNumber: 1, commitTimestamp: state.now,
            commitNumber: state.journal.lastCommitNumber, commitUser: user)
        try append(object, header, [], at: state.now)
        BayeuxDelivery.wake([.allChanges, .changes(object.name)], state)
    }

    private func append(_ object: ObjectDefinition, _ header: ChangeEventHeader, _ fields: [JSON.Member], at now: Int64) throws {
        var text = body(object, header, fields)
        if text.utf8.count > state.streaming.settings.largestEvent, !fields.isEmpty {
            var gap = header
            gap.changeType = "GAP_" + header.changeType
            gap.nulledFields = []
            gap.changedFields = []
            text = body(object, gap, [])
        }
        try EventStore.append(.changes(object.name), at: now, body: text, db)
    }

    private func body(_ object: ObjectDefinition, _ header: ChangeEventHeader, _ fields: [JSON.Member]) -> String {
        let data: JSON = [
            "schema": .string(ChangeEvents.schemaId(object)),
            "payload": .object([JSON.Member(key: "ChangeEventHeader", value: header.json)] + fields),
            "event": [
                "replayId": .number(EventStore.replayMark), "EventUuid": .string(UUID().uuidString.lowercased()),
                "EventApiName": .string(StreamChannel.eventName(of: object.name)),
            ],
        ]
        return data.text
    }

    /// Changes with the object's fields, and only with them.
    private static func schemaId(_ object: ObjectDefinition) -> String {
        let text = object.name + object.fields.map { " \($0.name):\($0.kind.rawValue)" }.joined()
        return Data(SHA256.hash(data: Data(text.utf8)).prefix(16)).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

struct ChangeEventHeader: Sendable {
    var entityName: String
    var recordIds: [String]
    var changeType: String
    var changeOrigin: String
    var transactionKey: String
    var sequenceNumber: Int
    var commitTimestamp: Int64
    var commitNumber: Int64
    var commitUser: String
    var nulledFields: [String] = []
    var changedFields: [String] = []

    /// The id of an event that stands for every record.
    static let noRecord = "000000000000000AAA"

    var json: JSON {
        [
            "entityName": .string(entityName), "recordIds": .texts(recordIds), "changeType": .string(changeType),
            "changeOrigin": .string(changeOrigin), "transactionKey": .string(transactionKey), "sequenceNumber": .int(sequenceNumber),
            "commitTimestamp": .int(commitTimestamp), "commitNumber": .int(commitNumber), "commitUser": .string(commitUser),
            "nulledFields": .texts(nulledFields), "diffFields": [], "changedFields": .texts(changedFields),
        ]
    }
}
