internal import CLibPQ

extension ConnectionHandle {
    /// Begins `COPY ... FROM STDIN`.
    func beginCopyIn(_ sql: String, _ interrupt: inout Interrupt) throws(PostgresError) {
        try checkText(sql)
        guard PQsendQuery(raw, sql) == 1 else { throw notSent() }
        try flush(&interrupt)
        guard let first = try nextResult(&interrupt) else { throw lost() }
        if first.status == PGRES_COPY_IN { return }
        var failure = first.status == PGRES_FATAL_ERROR ? first.error() : Self.notCopy
        while try nextResult(&interrupt) != nil {}
        if isBroken { failure.code = .connectionLost }
        throw failure
    }

    private static var notCopy: PostgresError {
        PostgresError(code: .misuse, serverMessage: "copyIn needs one COPY ... FROM STDIN statement")
    }

    /// Hands bytes to the network, and returns when all have been taken: the source is asked for no more before.
    func putCopyData(_ bytes: [UInt8], _ interrupt: inout Interrupt) throws(PostgresError) {
        // The library copies what it is given; in slices its buffer stays small.
        let slice = 64 * 1024
        var start = 0
        while start < bytes.count {
            let count = min(slice, bytes.count - start)
            let result = bytes.withUnsafeBytes { all in
                PQputCopyData(raw, all.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self), Int32(count))
            }
            if result < 0 { throw lost() }
            try flush(&interrupt)
            if result == 1 { start += count }
            if interrupt.deadline != nil { throw PostgresError(code: .cancelled) }
        }
    }

    /// Ends the data and waits for the server to have stored it.
    ///
    /// - Returns: the number of rows.
    func endCopyIn(_ interrupt: inout Interrupt) throws(PostgresError) -> Int {
        try putCopyEnd(nil, &interrupt)
        return try finish(&interrupt).affectedRows
    }

    /// Ends the data with an error, so that the server stores nothing of it.
    func abortCopyIn(_ reason: String, _ interrupt: inout Interrupt) throws(PostgresError) {
        try putCopyEnd(reason, &interrupt)
        do throws(PostgresError) {
            _ = try finish(&interrupt)
        } catch where error.code == .server {
            // The answer that was asked for: 57014 with the reason, or the error the data had caused before.
        }
    }

    private func putCopyEnd(_ reason: String?, _ interrupt: inout Interrupt) throws(PostgresError) {
        while true {
            switch PQputCopyEnd(raw, reason) {
            case 1: return
            case 0: try flush(&interrupt)
            default: throw lost()
            }
        }
    }
}
