public import Foundation

/// What a session and a transaction have in common: statements and COPY.
public protocol PostgresQueryable: Sendable {
    /// Runs one statement. Values go as parameters, never into the text.
    ///
    /// Cancelling the task cancels the statement in the server and ends promptly. A statement that the server had finished
    /// before returns its result all the same.
    @discardableResult
    func query(_ sql: String, _ parameters: [PostgresParameter]) async throws(PostgresError) -> PostgresResult

    /// Runs a script of any number of statements without parameters.
    func execute(_ script: String) async throws(PostgresError)

    /// Runs `COPY ... FROM STDIN` with the bytes that `source` returns until it returns nil.
    ///
    /// `source` is asked for more only when the network has taken what it returned. When it throws, the server stores nothing
    /// and its error is thrown.
    ///
    /// - Returns: the number of rows stored.
    @discardableResult
    nonisolated(nonsending) func copyIn(_ sql: String, from source: () async throws -> [UInt8]?) async throws -> Int

    /// Runs `COPY ... TO STDOUT` and hands what comes to `sink`, in whole lines.
    ///
    /// The server is read from only as fast as `sink` returns. When it throws, the statement is cancelled and its error is
    /// thrown.
    nonisolated(nonsending) func copyOut(_ sql: String, to sink: ([UInt8]) async throws -> Void) async throws
}

extension PostgresQueryable {
    @discardableResult
    public func query(_ sql: String) async throws(PostgresError) -> PostgresResult {
        try await query(sql, [])
    }

    /// The first column of the first row; nil when there is no row or it is NULL.
    public func queryValue<T: PostgresDecodable & Sendable>(
        _ sql: String, _ parameters: [PostgresParameter] = [], as type: T.Type = T.self
    ) async throws(PostgresError) -> T? {
        let result = try await query(sql, parameters)
        guard let column = result.columns.first, let row = result.rows.first else { return nil }
        return try row.optional(column.name, as: type)
    }

    /// The JSON document in the first column of the first row; nil when there is no row or it is NULL.
    ///
    /// - Throws: `unexpectedResult` when it does not decode as a `T`.
    public func queryJSON<T: Decodable & Sendable>(
        _ sql: String, _ parameters: [PostgresParameter] = [], as type: T.Type = T.self, decoder: JSONDecoder = JSONDecoder()
    ) async throws(PostgresError) -> T? {
        guard let text = try await queryValue(sql, parameters, as: String.self) else { return nil }
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw PostgresError(code: .unexpectedResult, serverMessage: "the JSON document is not a \(T.self)")
        }
    }
}
