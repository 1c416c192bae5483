extension PostgresSession {
    nonisolated(nonsending) public func copyOut(_ sql: String, to sink: ([UInt8]) async throws -> Void) async throws {
        try refuseInsideTransaction()
        try await gate.enter()
        defer { gate.leave() }
        try await copyOutHoldingGate(sql, to: sink)
    }

    /// About so many bytes are handed out at a time.
    static let copyPieceBytes = 64 * 1024

    nonisolated(nonsending) func copyOutHoldingGate(_ sql: String, to sink: ([UInt8]) async throws -> Void) async throws {
        try await beginCopyOut(sql)
        do {
            while true {
                let (bytes, isLast) = try await takeCopyData()
                if !bytes.isEmpty { try await sink(bytes) }
                if isLast { break }
            }
        } catch {
            await abandonCopyOut()
            throw error
        }
    }

    private func beginCopyOut(_ sql: String) async throws(PostgresError) {
        try await run { connection, interrupt throws(PostgresError) in
            try connection.beginCopyOut(sql, &interrupt)
        }
    }

    private func takeCopyData() async throws(PostgresError) -> (bytes: [UInt8], isLast: Bool) {
        try await run { connection, interrupt throws(PostgresError) in
            try connection.nextCopyData(wanted: Self.copyPieceBytes, &interrupt)
        }
    }

    /// Leaves no COPY open: what cannot be ended is disconnected.
    private func abandonCopyOut() async {
        guard connection?.isRunningStatement ?? false else { return }
        do throws(PostgresError) {
            try await run(heedingCancellation: false) { connection, interrupt throws(PostgresError) in
                try connection.abandonCopyOut(&interrupt)
            }
        } catch {
            lose(error)
        }
    }
}
