import GRDB
@testable import SalesforceSimulator
import Testing

@Suite("What listeners learn of automation")
struct FlowJournalTests {
    private static func inputs(_ type: String, _ fields: [(String, String)]) -> RecordInput {
        RecordInput(type: type, id: nil, fields: fields.map { RecordInput.Field(name: $0.0, input: .text($0.1)) })
    }

    /// The changes of one save of a Contact, with a flow that changes its account.
    private static func changes(flow: Bool) async throws -> (CommittedChanges?, account: String) {
        let org = try Org(path: nil, sample: true, versions: ["62.0"])
        return try await org.perform { state, db in
            let user = try Sessions.userId(SampleOrg.integrationUser, db) ?? ""
            guard var contact = state.object("Contact") else { throw APIError.unknownType("Contact") }
            if flow {
                contact.flows.append(ObjectDefinition.Flow(field: "AccountNumber", template: "{LastName}", target: .parent(lookup: "AccountId")))
                try state.save(contact, db)
            }
            let batch = RecordBatch(state: state, db: db, user: user, stamp: state.stamp)
            let account = try batch.write(.create, [inputs("Account", [("Name", "parent")])]).first?.id ?? ""
            state.journal.discard()
            state.journal.origin = ChangeOrigin(api: "rest", version: "62.0", client: "hc-sync")
            _ = try batch.write(.create, [inputs("Contact", [("LastName", "Doe"), ("AccountId", account)])])
            return (state.journal.commit(at: state.now), account)
        }
    }

    @Test("what a flow changes is committed with the save, under the same origin, after the saved record")
    func sameTransaction() async throws {
        let (committed, account) = try await Self.changes(flow: true)
        #expect(committed?.origin?.text == "com/salesforce/api/rest/62.0;client=hc-sync")
        #expect(committed?.changes.map(\.object) == ["Contact", "Account"])
        #expect(committed?.changes.map(\.kind) == [.created, .updated])
        #expect(committed?.changes.last?.id == account)
        #expect(committed?.changes.last?.changedFields.contains("AccountNumber") == true)
    }

    @Test("without a flow the save is committed alone")
    func alone() async throws {
        let (committed, _) = try await Self.changes(flow: false)
        #expect(committed?.changes.map(\.object) == ["Contact"])
    }

    @Test("a lookup that a deleted parent leaves empty is an update of the child")
    func clearedLookup() async throws {
        let org = try Org(path: nil, sample: true, versions: ["62.0"])
        let kinds = try await org.perform { state, db -> [String] in
            let user = try Sessions.userId(SampleOrg.integrationUser, db) ?? ""
            let batch = RecordBatch(state: state, db: db, user: user, stamp: state.stamp)
            let account = try batch.write(.create, [Self.inputs("Account", [("Name", "parent")])]).first?.id ?? ""
            _ = try batch.write(.create, [Self.inputs("Invoice__c", [("Account__c", account)])])
            state.journal.discard()
            _ = try RecordRemover(state: state, db: db, user: user, stamp: state.stamp).delete([account])
            return (state.journal.commit(at: state.now)?.changes ?? []).map { "\($0.kind) \($0.object) \($0.changedFields.contains("Account__c"))" }
        }
        #expect(kinds == ["updated Invoice__c true", "deleted Account false"])
    }
}
