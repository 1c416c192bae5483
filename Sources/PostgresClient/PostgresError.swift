/// Why a statement, or a connection, failed.
public struct PostgresError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What kind of failure it is. More kinds may come, so a switch needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case badConnectionString = "the connection string is malformed"
            case couldNotConnect = "could not connect to the database"
            case connectionLost = "the connection to the database was lost"
            case connectionClosed = "the database session is closed"
            case server = "the database refused the statement"
            case cancelled = "the statement was cancelled"
            case invalidParameter = "a parameter cannot be sent"
            case unexpectedResult = "the result is not what was asked for"
            case transactionAborted = "the transaction had failed and was rolled back"
            case misuse = "the database session was used in a way it does not support"
        }

        private let kind: Kind

        public static let badConnectionString = Code(kind: .badConnectionString)
        public static let couldNotConnect = Code(kind: .couldNotConnect)
        /// It broke while it was in use. Whether a COMMIT under way took effect is not known.
        public static let connectionLost = Code(kind: .connectionLost)
        /// It was closed, or lost earlier.
        public static let connectionClosed = Code(kind: .connectionClosed)
        /// See ``PostgresError/sqlState``.
        public static let server = Code(kind: .server)
        public static let cancelled = Code(kind: .cancelled)
        /// PostgreSQL text holds no NUL.
        public static let invalidParameter = Code(kind: .invalidParameter)
        public static let unexpectedResult = Code(kind: .unexpectedResult)
        /// COMMIT was asked for, and the server answered ROLLBACK.
        public static let transactionAborted = Code(kind: .transactionAborted)
        public static let misuse = Code(kind: .misuse)

        public var description: String { kind.rawValue }
    }

    public var code: Code
    /// Five characters, PostgreSQL's Appendix A; nil when the server did not speak, or only while connecting.
    public var sqlState: String?
    /// The primary message of server or library. May quote values: see ``description``.
    public var serverMessage: String?
    /// May hold values of rows.
    public var detail: String?
    public var hint: String?
    /// Where in functions or COPY data it happened. May hold values of rows.
    public var context: String?
    public var schemaName: String?
    public var tableName: String?
    public var columnName: String?
    public var constraintName: String?

    public init(code: Code, sqlState: String? = nil, serverMessage: String? = nil, detail: String? = nil, hint: String? = nil) {
        self.code = code
        self.sqlState = sqlState
        self.serverMessage = serverMessage
        self.detail = detail
        self.hint = hint
    }

    /// One line that may be logged and shown. Leaves out detail and context, and the message of data exceptions (class 22),
    /// which quotes the value.
    public var description: String {
        var text = code.description
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let serverMessage, !quotesValues { text += ": \(serverMessage)" }
        if let hint { text += " Hint: \(hint)" }
        return text.replacing("\n", with: " ")
    }

    /// Everything the server said. May hold values of rows and parameters: not for logs.
    public var debugDescription: String {
        var lines = ["\(code) (SQLSTATE \(sqlState ?? "none"))"]
        let parts = [
            ("message", serverMessage), ("detail", detail), ("hint", hint), ("context", context),
            ("schema", schemaName), ("table", tableName), ("column", columnName), ("constraint", constraintName),
        ]
        for (name, value) in parts {
            if let value { lines.append("\(name): \(value)") }
        }
        return lines.joined(separator: "\n")
    }

    private var quotesValues: Bool { sqlState?.hasPrefix("22") ?? false }
}

extension PostgresError {
    /// True when the same statement may succeed later without anyone changing anything: lost and refused connections,
    /// serialization failures and deadlocks, lock timeouts, exhausted resources, a server that starts or stops, a standby.
    public var isTransient: Bool {
        if isConnectionLoss { return true }
        guard let sqlState else { return false }
        return ["40", "53"].contains(sqlState.prefix(2)) || ["55P03", "25006"].contains(sqlState)
    }

    /// True when the session is of no more use and a new connection is needed.
    public var isConnectionLoss: Bool {
        if [.couldNotConnect, .connectionLost, .connectionClosed].contains(code) { return true }
        guard let sqlState else { return false }
        return sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05"].contains(sqlState)
    }
}
