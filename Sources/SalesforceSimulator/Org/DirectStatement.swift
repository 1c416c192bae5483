import Foundation
import GRDB
import GRDBSQLite

/// A prepared statement that is run on SQLite itself. What GRDB does around each run (it makes a row that knows its columns'
/// names, and checks arguments, queue and observers) takes several times as long as the run, and a save has five for each record.
final class DirectStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private let sql: String
    /// SQLite copies a text that is bound this way.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// - Throws: `DatabaseError` when SQLite refuses the SQL.
    init(_ sql: String, _ db: Database) throws {
        guard let connection = db.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the database is closed") }
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)), sql: sql)
        }
        self.handle = handle
        self.connection = connection
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs it to its end.
    func run(_ arguments: [DatabaseValue] = []) throws {
        defer { sqlite3_reset(handle) }
        bind(arguments)
        while try step() {}
    }

    /// The first row, column by column; nil when there is none.
    func row(_ arguments: [DatabaseValue]) throws -> [DatabaseValue]? {
        defer { sqlite3_reset(handle) }
        bind(arguments)
        guard try step() else { return nil }
        return (0..<sqlite3_column_count(handle)).map(value)
    }

    /// The first column of every row.
    func column(_ arguments: [DatabaseValue]) throws -> [DatabaseValue] {
        defer { sqlite3_reset(handle) }
        bind(arguments)
        var values: [DatabaseValue] = []
        while try step() { values.append(value(0)) }
        return values
    }

    private func bind(_ arguments: [DatabaseValue]) {
        for (index, argument) in arguments.enumerated() {
            let place = Int32(index + 1)
            switch argument.storage {
            case .null: sqlite3_bind_null(handle, place)
            case .int64(let number): sqlite3_bind_int64(handle, place, number)
            case .double(let number): sqlite3_bind_double(handle, place, number)
            case .string(var text):
                text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { characters in
                        // An empty text has no address, and SQLite takes none for null.
                        _ = sqlite3_bind_text(handle, place, characters.baseAddress ?? UnsafePointer(bitPattern: 1), Int32(characters.count), DirectStatement.copied)
                    }
                }
            case .blob(let data): data.withUnsafeBytes { _ = sqlite3_bind_blob(handle, place, $0.baseAddress, Int32($0.count), DirectStatement.copied) }
            }
        }
    }

    /// True when there is a row.
    private func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)), sql: sql)
        }
    }

    private func value(_ column: Int32) -> DatabaseValue {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return sqlite3_column_int64(handle, column).databaseValue
        case SQLITE_TEXT:
            let bytes = UnsafeBufferPointer(start: sqlite3_column_text(handle, column), count: Int(sqlite3_column_bytes(handle, column)))
            return String(decoding: bytes, as: UTF8.self).databaseValue
        case SQLITE_FLOAT: return sqlite3_column_double(handle, column).databaseValue
        case SQLITE_BLOB: return DatabaseValue(sqliteStatement: handle, index: column)
        default: return .null
        }
    }
}
