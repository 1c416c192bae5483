import Foundation
import GRDB

/// One call of `/_sim/` that a fault makes.
struct ControlStep: Sendable {
    var method: String
    /// What follows `/_sim/`.
    var path: String
    var body: JSON
}

extension Fault {
    /// What happens to the org just before the work of a call.
    func prepare(_ request: SimRequest, _ call: CallDescription, _ state: OrgState, _ db: Database) throws {
        switch kind {
        case .endSessions:
            if endsAll {
                _ = try Sessions.closeAll(user: try user.flatMap { try Sessions.userId($0, db) }, db)
            } else {
                for token in tokens(request) { try Sessions.close(token, db) }
            }
        case .closeCursors: state.cursors.closeAll()
        case .retireVersion:
            guard let version = call.version else { return }
            state.settings.versions.removeAll { $0 == version }
            state.settings.service.retiredVersions.insert(version)
            try state.saveSettings(db)
        case .equalRecord where waitsBefore: try createEqual(call, state, db)
        case .control:
            for step in calls {
                let inner = SimRequest(
                    method: step.method, target: "/_sim/" + step.path, headers: request.headers, body: Data(step.body.text.utf8),
                    identifier: request.identifier)
                _ = try ControlCalls(request: inner, state: state, db: db).answer()
            }
        default: break
        }
    }

    /// What happens just after it.
    func follow(_ call: CallDescription, _ state: OrgState, _ db: Database) throws {
        if kind == .equalRecord, !waitsBefore { try createEqual(call, state, db) }
    }

    /// Wherever a family keeps its token.
    private func tokens(_ request: SimRequest) -> [String] {
        let body = String(decoding: request.body.prefix(8_192), as: UTF8.self)
        let inEnvelope = body.range(of: "sessionId>").map { body[$0.upperBound...].prefix { $0 != "<" } }.map(String.init)
        return [request.bearerToken, request.headers["x-sfdc-session"], inEnvelope].compactMap(\.self)
    }

    /// Another user's record with the values that the client sends.
    private func createEqual(_ call: CallDescription, _ state: OrgState, _ db: Database) throws {
        guard let other = try Sessions.userId(user ?? SampleOrg.administrator, db) else { return }
        let inputs = call.records.map { record -> RecordInput in
            var copy = record
            copy.id = nil
            for member in overrides.members {
                copy.fields.removeAll { $0.name.lowercased() == member.key.lowercased() }
                copy.fields += RESTRecord.input(.object([member]), type: record.type).fields
            }
            return copy
        }
        let origin = state.journal.origin
        state.journal.origin = nil
        _ = try RecordBatch(state: state, db: db, user: other, stamp: state.stamp).write(.create, inputs)
        // A transaction of its own.
        try state.publishChanges(db)
        state.journal.origin = origin
    }
}
