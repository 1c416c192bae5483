import GRDB

extension RecordSaver {
    /// Runs the rules that change a record before it is stored.
    ///
    /// - Parameters:
    ///   - changes: What is about to be stored; a rule may add to it.
    ///   - current: The stored record; empty when it is new.
    func runBeforeSave(_ full: ObjectDefinition, _ changes: inout Values, current: Values, creating: Bool) {
        guard let rules = full.beforeSaveRules else { return }
        for rule in rules where creating ? rule.onCreate : rule.onUpdate {
            guard let field = full.field(rule.field), field.isStored, !field.isCalculated, !field.isSystem else { continue }
            let value = changes[field.name] ?? current[field.name] ?? .null
            let changed: DatabaseValue
            switch rule.action {
            case .upperCase, .lowerCase:
                guard field.isText, let text = String.fromDatabaseValue(value) else { continue }
                changed = (rule.action == .upperCase ? text.uppercased() : text.lowercased()).databaseValue
            case .clear: changed = field.kind == .boolean ? 0.databaseValue : .null
            case .set: changed = stored(rule.template, in: field, of: full, from: current.merging(changes) { _, new in new })
            }
            if changed != value { changes[field.name] = changed }
        }
    }

    /// A template worked out for a record and turned into a field's value; null when the field cannot hold it.
    func stored(_ template: String, in field: FieldDefinition, of source: ObjectDefinition, from record: Values) -> DatabaseValue {
        let text = RecordSaver.text(of: template, source, record)
        return (try? FieldValue.stored(.text(text), field: field, truncating: true)) ?? (field.kind == .boolean ? 0.databaseValue : .null)
    }

    /// The text of a template: stored fields by their text, text formulas by theirs; what is unknown or null is left out.
    private static func text(of template: String, _ object: ObjectDefinition, _ record: Values, depth: Int = 0) -> String {
        Template.pieces(of: template).map { piece -> String in
            switch piece {
            case .text(let text): return text
            case .field(let name):
                guard let source = object.field(name) else { return "" }
                if let formula = source.formula {
                    return depth < 3 && source.isText ? FieldValue.trimmed(text(of: formula, object, record, depth: depth + 1)) : ""
                }
                return record[source.name].flatMap { ResultValue($0, field: source).plainText } ?? ""
            }
        }.joined()
    }
}
