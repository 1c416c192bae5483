internal import PostgresClient
internal import SalesforceAPI

/// The rows of jobs between database and network: CSV that COPY makes goes up as it comes, results go down into COPY. Nothing is
/// held but a few pieces.
///
/// One at a time over all jobs, on a session of its own that is open only then: a job is waiting most of its life.
actor BulkRows {
    private let sessions: SessionSource
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ sessions: SessionSource) { self.sessions = sessions }

    /// Runs `work` with a session when it is its turn.
    nonisolated func session<Result: Sendable>(_ work: (ProtocolSession) async throws -> Result) async throws -> Result {
        await enter()
        do {
            let session = try await sessions.open("bulk")
            do {
                let result = try await work(session)
                await session.session.close()
                await leave()
                return result
            } catch {
                await session.session.close()
                throw error
            }
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isTaken = true
        }
    }

    private func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }

    /// Sends the rows that `copy` gives, below the header line.
    nonisolated func send(_ header: String, _ copy: String, _ session: ProtocolSession, _ upload: BulkUpload) async throws {
        try await upload.write(Array(header.utf8))
        try await session.session.postgres.copyOut(copy) { try await upload.write($0) }
    }

    /// Copies a result into a temporary table and matches it with the batch, in one transaction that locks nothing of anybody
    /// before the last byte has come.
    nonisolated func store(
        _ batch: Int, _ file: String, _ head: BulkResultHead, _ body: BulkBody, isComplete: Bool, _ session: ProtocolSession
    ) async throws {
        var filter = CSVPageFilter()
        var begun: [UInt8] = []
        while !filter.isPastHeader, let chunk = try await body.next() { begun += filter.transform(chunk) }
        if !filter.isPastHeader { filter.finish() }
        let columns = filter.columns
        // An answer without a header has no rows, unless it came short.
        guard !columns.isEmpty else {
            try BulkLoad.refuseShort(filter, head)
            return try await storeNothing(batch, file, session)
        }
        let postgres = session.session.postgres
        try await postgres.transaction { transaction in
            guard let copy = try await transaction.query("SELECT public.hc_bulk_result_copy($1)", [.textArray(columns)]).onlyRow()[0] else { return }
            _ = try await transaction.copyIn(copy) {
                if !begun.isEmpty {
                    defer { begun = [] }
                    return begun
                }
                while let chunk = try await body.next() {
                    let passed = filter.transform(chunk)
                    if !passed.isEmpty { return passed }
                }
                filter.finish()
                return nil
            }
            try BulkLoad.refuseShort(filter, head)
            _ = try await transaction.query(
                "SELECT public.hc_bulk_result($1, $2, $3, $4, $5, $6)",
                session.prefix + [.int(batch), .text(file), .textArray(columns), .bool(isComplete)])
        }
    }

    nonisolated func storeNothing(_ batch: Int, _ file: String, _ session: ProtocolSession) async throws {
        try await session.call("hc_bulk_result", .int(batch), .text(file), .textArray([]))
    }
}

extension PostgresError {
    /// A failure of the rows' own session, or of what is in a result: the leader's session can be well all the same.
    var isOfRows: Bool { sqlState == "HC005" || isConnectionLoss || (isTransient && code != .cancelled) }
}
