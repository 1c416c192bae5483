extension PostgresSession {
    /// Runs `body` in a transaction: COMMIT when it returns, ROLLBACK when it throws or the task is cancelled.
    ///
    /// The session is the transaction's alone until then. COMMIT itself is not cancelled, so that a return means stored and
    /// an error means not stored, with one exception: after `connectionLost` it may be either.
    ///
    /// - Parameter options: what follows BEGIN, such as `ISOLATION LEVEL REPEATABLE READ`.
    /// - Throws: what `body` throws; ``PostgresError``; `CancellationError`.
    @discardableResult
    nonisolated(nonsending) public func transaction<R>(
        options: String = "", _ body: (PostgresTransaction) async throws -> R
    ) async throws -> R {
        try refuseInsideTransaction()
        try await gate.enter()
        defer { gate.leave() }
        let transaction = try await begin(options)
        do {
            let result = try await PostgresTransaction.$sessionInTransaction.withValue(ObjectIdentifier(self)) {
                try await body(transaction)
            }
            try Task.checkCancellation()
            try await commit()
            return result
        } catch {
            await rollback()
            throw error
        }
    }

    private func begin(_ options: String) async throws(PostgresError) -> PostgresTransaction {
        try await run { connection, interrupt throws(PostgresError) in
            _ = try connection.query("BEGIN \(options)", [], &interrupt)
        }
        lastTransaction += 1
        openTransaction = lastTransaction
        return PostgresTransaction(session: self, number: lastTransaction)
    }

    private func commit() async throws(PostgresError) {
        let result = try await run(heedingCancellation: false) { connection, interrupt throws(PostgresError) in
            try connection.query("COMMIT", [], &interrupt)
        }
        openTransaction = nil
        // The server answers COMMIT of a failed transaction with ROLLBACK, and calls it a success.
        guard result.commandTag == "COMMIT" else { throw PostgresError(code: .transactionAborted) }
    }

    /// Leaves no transaction open: what cannot be rolled back is disconnected.
    private func rollback() async {
        openTransaction = nil
        guard connection?.isInTransaction ?? false else { return }
        do throws(PostgresError) {
            _ = try await run(heedingCancellation: false) { connection, interrupt throws(PostgresError) in
                try connection.query("ROLLBACK", [], &interrupt)
            }
        } catch {
            lose(error)
        }
    }

    /// - Throws: `misuse` when the transaction has ended.
    func require(_ transaction: PostgresTransaction) throws(PostgresError) {
        guard openTransaction == transaction.number else {
            throw PostgresError(code: .misuse, serverMessage: "the transaction has ended")
        }
    }

    func run<R: Sendable>(
        in transaction: PostgresTransaction, heedingCancellation: Bool = true, _ work: Work<R>
    ) async throws(PostgresError) -> R {
        try require(transaction)
        return try await run(heedingCancellation: heedingCancellation, work)
    }
}
