/// The SQL of saves. A call writes the same fields of the same object many times over: composing a text of thirty names
/// would cost more than running it.
struct StatementTexts {
    private struct Key: Hashable {
        var verb: String
        var object: String
        var names: [String]
    }

    private var texts: [Key: String] = [:]

    /// `INSERT` of these columns, one argument each.
    mutating func insert(into object: String, _ names: [String]) -> String {
        text("INSERT", object, names) {
            "INSERT INTO \(ObjectTable.quoted(object)) (\(names.map(ObjectTable.quoted).joined(separator: ", "))) "
                + "VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))"
        }
    }

    /// `UPDATE` of these columns, one argument each, then the id.
    mutating func update(_ object: String, _ names: [String]) -> String {
        text("UPDATE", object, names) {
            "UPDATE \(ObjectTable.quoted(object)) SET \(names.map { ObjectTable.quoted($0) + " = ?" }.joined(separator: ", ")) WHERE Id = ?"
        }
    }

    /// `SELECT` of these columns for one id.
    mutating func select(_ names: [String], from object: String) -> String {
        text("SELECT", object, names) {
            "SELECT \(names.map(ObjectTable.quoted).joined(separator: ", ")) FROM \(ObjectTable.quoted(object)) WHERE Id = ?"
        }
    }

    private mutating func text(_ verb: String, _ object: String, _ names: [String], make: () -> String) -> String {
        let key = Key(verb: verb, object: object, names: names)
        if let known = texts[key] { return known }
        // Clients send few sets of fields; one that sends ever new ones must not fill the memory.
        if texts.count >= 1_000 { texts = [:] }
        let text = make()
        texts[key] = text
        return text
    }
}
