import GRDB

/// Person accounts, in an org whose Account has the field `IsPersonAccount`: an account with a last name is a person, whose name is
/// made of its parts and cannot be written (wire reference 8.2).
extension RecordSaver {
    func applyPersonAccount(_ full: ObjectDefinition, _ values: inout Values, sent: Values, current: Values) throws {
        guard full.name == "Account", full.fields.has("IsPersonAccount"), full.fields.has("LastName") else { return }
        func value(_ name: String) -> DatabaseValue { values[name] ?? current[name] ?? .null }
        let isPerson = current.isEmpty ? !value("LastName").isNull : current["IsPersonAccount"]?.storage == .int64(1)
        guard isPerson else { return }
        guard sent["Name"] == nil else {
            throw RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "Account: bad field names on insert/update call: Name", ["Name"])
        }
        values["IsPersonAccount"] = 1.databaseValue
        let parts = ["FirstName", "LastName"].compactMap { String.fromDatabaseValue(value($0)) }
        values["Name"] = parts.joined(separator: " ").databaseValue
    }
}
