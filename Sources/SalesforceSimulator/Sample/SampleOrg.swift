import GRDB

/// The org that `--sample` makes: the same records each time.
enum SampleOrg {
    static let clientId = "hc-sync-sample"
    static let clientSecret = "sample-secret"
    static let integrationUser = "integration@example.com"
    static let administrator = "admin@example.com"

    /// What every org has: users and the sample's app.
    static func createFoundation(_ state: OrgState, _ db: Database) throws {
        try state.save(SampleObjects.user, db)
        _ = try createUser(integrationUser, first: "Integration", last: "User", state, db)
        _ = try createUser(administrator, first: "Ada", last: "Admin", state, db)
        state.settings.apps = [OrgSettings.App(clientId: clientId, clientSecret: clientSecret, runAs: integrationUser)]
        state.settings.passwords = [integrationUser: "sample-password", administrator: "sample-password"]
    }

    static func createUser(_ name: String, first: String, last: String, _ state: OrgState, _ db: Database) throws -> String {
        let saver = RecordSaver(
            state: state, db: db, object: SampleObjects.user, user: RecordIdentifier.make(keyPrefix: "005", number: 1), stamp: state.stamp)
        return try saver.insert([
            "Username": name.databaseValue, "Email": name.databaseValue, "FirstName": (first.isEmpty ? nil : first).databaseValue,
            "LastName": last.databaseValue, "IsActive": 1.databaseValue,
        ])
    }

    static func fill(_ state: OrgState, _ db: Database) throws {
        for object in SampleObjects.all { try state.save(object, db) }
        // Stamps lie an hour back, so that a first poll with an overlap does not see everything twice.
        let stamp = state.stamp - 3_600_000
        guard let user = try Sessions.userId(administrator, db) else { return }
        func write(_ type: String, _ rows: [[(String, FieldInput)]]) throws -> [String] {
            let batch = RecordBatch(state: state, db: db, user: user, stamp: stamp)
            let inputs = rows.map { row in
                RecordInput(type: type, id: nil, fields: row.map { RecordInput.Field(name: $0.0, input: $0.1) })
            }
            return try batch.write(.create, inputs).map { outcome in
                if let error = outcome.error { throw error }
                return outcome.id ?? ""
            }
        }
        let accounts = try write("Account", SampleRecords.accounts)
        _ = try write("Contact", SampleRecords.contacts(accounts))
        _ = try write("Opportunity", SampleRecords.opportunities(accounts))
        _ = try write("Invoice__c", SampleRecords.invoices(accounts))
        _ = try write("Everything__c", SampleRecords.everything(accounts))
    }
}
