internal import CLibPQ

extension ConnectionHandle {
    /// Begins `COPY ... TO STDOUT`.
    func beginCopyOut(_ sql: String, _ interrupt: inout Interrupt) throws(PostgresError) {
        try checkText(sql)
        guard PQsendQuery(raw, sql) == 1 else { throw notSent() }
        try flush(&interrupt)
        guard let first = try nextResult(&interrupt) else { throw lost() }
        if first.status == PGRES_COPY_OUT { return }
        var failure = first.status == PGRES_FATAL_ERROR ? first.error() : Self.notCopyOut
        if first.status == PGRES_COPY_IN { try abortCopyIn("COPY was to read, not to write", &interrupt) }
        while try nextResult(&interrupt) != nil {}
        if isBroken { failure.code = .connectionLost }
        throw failure
    }

    private static var notCopyOut: PostgresError {
        PostgresError(code: .misuse, serverMessage: "copyOut needs one COPY ... TO STDOUT statement")
    }

    /// The next rows as the server wrote them, whole lines, about `wanted` bytes if so many have come, and whether they were the
    /// last. While nobody asks, the server waits: nothing but the socket's buffers fills.
    func nextCopyData(wanted: Int, _ interrupt: inout Interrupt) throws(PostgresError) -> (bytes: [UInt8], isLast: Bool) {
        var bytes: [UInt8] = []
        while bytes.count < wanted {
            var row: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(raw, &row, 1)
            if let row {
                defer { PQfreemem(row) }
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(count)))
                continue
            }
            switch count {
            // What has come goes on its way before more is waited for.
            case 0 where !bytes.isEmpty: return (bytes, false)
            case 0: try readMore(&interrupt)
            case -1:
                _ = try finish(&interrupt)
                return (bytes, true)
            default: throw lost()
            }
        }
        return (bytes, false)
    }

    /// Ends a COPY whose rows nobody wants any more: the server is asked to cancel it, and what it has sent is dropped.
    func abandonCopyOut(_ interrupt: inout Interrupt) throws(PostgresError) {
        requestCancel()
        interrupt.begin()
        do throws(PostgresError) {
            while try !nextCopyData(wanted: 64 * 1024, &interrupt).isLast {}
        } catch where error.code == .server {
            // 57014 as asked for, or the error that the statement had met before.
        }
    }
}
