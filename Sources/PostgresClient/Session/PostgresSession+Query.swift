internal import HandleQueue

extension PostgresSession {
    @discardableResult
    public func query(_ sql: String, _ parameters: [PostgresParameter]) async throws(PostgresError) -> PostgresResult {
        try await exclusively { connection, interrupt throws(PostgresError) in
            try connection.query(sql, parameters, &interrupt)
        }
    }

    public func execute(_ script: String) async throws(PostgresError) {
        try await exclusively { connection, interrupt throws(PostgresError) in
            try connection.execute(script, &interrupt)
        }
    }

    typealias Work<R> = (borrowing ConnectionHandle, inout Interrupt) throws(PostgresError) -> R

    /// Waits for the session to be free, then runs `work`.
    func exclusively<R: Sendable>(_ work: Work<R>) async throws(PostgresError) -> R {
        try refuseInsideTransaction()
        try await gate.enter()
        defer { gate.leave() }
        return try await run(work)
    }

    /// Inside its own transaction the session would wait for itself.
    nonisolated func refuseInsideTransaction() throws(PostgresError) {
        if PostgresTransaction.sessionInTransaction == ObjectIdentifier(self) {
            throw PostgresError(
                code: .misuse, serverMessage: "the session was used inside its own transaction",
                hint: "Use the transaction that the closure is given.")
        }
    }

    /// Runs `work` on the connection at once. The caller holds the gate.
    func run<R: Sendable>(heedingCancellation: Bool = true, _ work: Work<R>) async throws(PostgresError) -> R {
        let wake = executor.wake
        let result = await withTaskCancellationHandler {
            blocking(heedingCancellation: heedingCancellation, work)
        } onCancel: {
            wake.signal()
        }
        return try result.get()
    }

    private func blocking<R: Sendable>(heedingCancellation: Bool, _ work: Work<R>) -> Result<R, PostgresError> {
        cancelRequest.clear()
        if heedingCancellation && Task.isCancelled { return .failure(PostgresError(code: .cancelled)) }
        var interrupt = Interrupt(wake: executor.wake, request: cancelRequest, isHeeded: heedingCancellation)
        do throws(PostgresError) {
            guard let result = try connection?.perform(work, &interrupt) else { throw PostgresError(code: .connectionClosed) }
            deliverNotifications()
            return .success(result)
        } catch {
            var error = error
            if error.code == .connectionLost { lose(error) }
            if error.sqlState == "57014", interrupt.deadline != nil { error.code = .cancelled }
            return .failure(error)
        }
    }
}

extension ConnectionHandle {
    borrowing func perform<R>(_ work: PostgresSession.Work<R>, _ interrupt: inout Interrupt) throws(PostgresError) -> R {
        try work(self, &interrupt)
    }
}
