internal import CLibPQ

/// Owns one PGresult.
struct ResultHandle: ~Copyable {
    private let raw: OpaquePointer

    init(adopting raw: OpaquePointer) {
        self.raw = raw
    }

    deinit {
        PQclear(raw)
    }

    var status: ExecStatusType { PQresultStatus(raw) }

    var commandTag: String { String(cString: PQcmdStatus(raw)) }

    var affectedRows: Int { Int(String(cString: PQcmdTuples(raw))) ?? 0 }

    /// Everything in it, copied.
    func contents() -> PostgresResult {
        let width = PQnfields(raw)
        let columns = (0..<width).map { column in
            PostgresColumn(name: String(cString: PQfname(raw, column)), typeID: PQftype(raw, column))
        }
        let rows = (0..<PQntuples(raw)).map { row in
            PostgresRow(columns: columns, values: (0..<width).map { text(row: row, column: $0) })
        }
        return PostgresResult(columns: columns, rows: rows, affectedRows: affectedRows, commandTag: commandTag)
    }

    private func text(row: Int32, column: Int32) -> String? {
        guard PQgetisnull(raw, row, column) == 0, let bytes = PQgetvalue(raw, row, column) else { return nil }
        let length = Int(PQgetlength(raw, row, column))
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    }

    /// What the server said; valid for a failed result.
    func error() -> PostgresError {
        var error = PostgresError(code: .server, sqlState: field(.sqlState))
        error.serverMessage = field(.message)
        error.detail = field(.detail)
        error.hint = field(.hint)
        error.context = field(.context)
        error.schemaName = field(.schema)
        error.tableName = field(.table)
        error.columnName = field(.column)
        error.constraintName = field(.constraint)
        if error.serverMessage == nil { error.serverMessage = String(cString: PQresultErrorMessage(raw)).trimmingLineEnds() }
        return error
    }

    /// The field codes of the protocol (PG_DIAG_...), which the header defines as character macros.
    private enum Field: Character {
        case sqlState = "C", message = "M", detail = "D", hint = "H", context = "W"
        case schema = "s", table = "t", column = "c", constraint = "n"
    }

    private func field(_ field: Field) -> String? {
        PQresultErrorField(raw, Int32(field.rawValue.asciiValue ?? 0)).map { String(cString: $0) }
    }
}

extension String {
    func trimmingLineEnds() -> String {
        var text = Substring(self)
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
