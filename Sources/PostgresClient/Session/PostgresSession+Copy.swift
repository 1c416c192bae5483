extension PostgresSession {
    @discardableResult
    nonisolated(nonsending) public func copyIn(_ sql: String, from source: () async throws -> [UInt8]?) async throws -> Int {
        try refuseInsideTransaction()
        try await gate.enter()
        defer { gate.leave() }
        return try await copyInHoldingGate(sql, from: source)
    }

    nonisolated(nonsending) func copyInHoldingGate(_ sql: String, from source: () async throws -> [UInt8]?) async throws -> Int {
        try await beginCopyIn(sql)
        do {
            while let bytes = try await source() {
                try await put(bytes)
            }
            try Task.checkCancellation()
        } catch {
            await abortCopyIn()
            throw error
        }
        return try await endCopyIn()
    }

    private func beginCopyIn(_ sql: String) async throws(PostgresError) {
        try await run { connection, interrupt throws(PostgresError) in
            try connection.beginCopyIn(sql, &interrupt)
        }
    }

    private func put(_ bytes: [UInt8]) async throws(PostgresError) {
        try await run { connection, interrupt throws(PostgresError) in
            try connection.putCopyData(bytes, &interrupt)
        }
    }

    private func endCopyIn() async throws(PostgresError) -> Int {
        try await run { connection, interrupt throws(PostgresError) in
            try connection.endCopyIn(&interrupt)
        }
    }

    /// Leaves no COPY open: what cannot be aborted is disconnected.
    private func abortCopyIn() async {
        if connection == nil { return }
        do throws(PostgresError) {
            try await run(heedingCancellation: false) { connection, interrupt throws(PostgresError) in
                try connection.abortCopyIn("the source of the data ended early", &interrupt)
            }
        } catch {
            lose(error)
        }
    }
}
