/// What a statement returned, copied out of the library's memory.
public struct PostgresResult: Sendable {
    public let columns: [PostgresColumn]
    public let rows: [PostgresRow]
    /// Rows inserted, updated, deleted or selected, as the command tag tells; 0 for others.
    public let affectedRows: Int
    /// `INSERT 0 3`, `CREATE TABLE`.
    public let commandTag: String

    /// The only row.
    ///
    /// - Throws: `unexpectedResult` when there are none or several.
    public func onlyRow() throws(PostgresError) -> PostgresRow {
        guard rows.count == 1, let row = rows.first else {
            throw PostgresError(code: .unexpectedResult, serverMessage: "one row expected, \(rows.count) returned")
        }
        return row
    }
}

/// Name and type of a column of a result.
public struct PostgresColumn: Sendable, Hashable {
    public let name: String
    /// The `oid` in `pg_type`.
    public let typeID: UInt32
}

/// One row, its values in PostgreSQL's text form.
public struct PostgresRow: Sendable {
    public let columns: [PostgresColumn]
    /// nil is NULL.
    public let values: [String?]

    public subscript(index: Int) -> String? { values[index] }

    /// The text of the first column called `name`; nil when it is NULL or there is no such column.
    public subscript(name: String) -> String? {
        index(of: name).flatMap { values[$0] }
    }

    /// The value of a column that is not NULL.
    ///
    /// - Throws: `unexpectedResult` when there is no such column, it is NULL or its text is not a `T`.
    public func value<T: PostgresDecodable>(_ name: String, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard let value = try optional(name, as: type) else {
            throw PostgresError(code: .unexpectedResult, serverMessage: "column \"\(name)\" is null")
        }
        return value
    }

    /// The value of a column, nil when it is NULL.
    ///
    /// - Throws: `unexpectedResult` when there is no such column or its text is not a `T`.
    public func optional<T: PostgresDecodable>(_ name: String, as type: T.Type = T.self) throws(PostgresError) -> T? {
        guard let index = index(of: name) else {
            throw PostgresError(code: .unexpectedResult, serverMessage: "the result has no column \"\(name)\"")
        }
        guard let text = values[index] else { return nil }
        guard let value = T(postgresText: text) else {
            throw PostgresError(code: .unexpectedResult, serverMessage: "column \"\(name)\" is not of type \(T.self)")
        }
        return value
    }

    private func index(of name: String) -> Int? {
        columns.firstIndex { $0.name == name }
    }
}
