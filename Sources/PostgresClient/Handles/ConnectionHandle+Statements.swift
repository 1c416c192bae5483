internal import CLibPQ

extension ConnectionHandle {
    /// Runs one statement with parameters, by the extended protocol.
    func query(
        _ sql: String, _ parameters: [PostgresParameter], _ interrupt: inout Interrupt
    ) throws(PostgresError) -> PostgresResult {
        try checkText(sql)
        let buffer = try ParameterBuffer(parameters)
        let sent = buffer.withPointers { count, values in
            PQsendQueryParams(raw, sql, count, nil, values, nil, nil, 0)
        }
        guard sent == 1 else { throw notSent() }
        return try finish(&interrupt)
    }

    /// Runs any number of statements without parameters, by the simple protocol: one transaction unless they say otherwise.
    func execute(_ script: String, _ interrupt: inout Interrupt) throws(PostgresError) {
        try checkText(script)
        guard PQsendQuery(raw, script) == 1 else { throw notSent() }
        _ = try finish(&interrupt)
    }

    /// Sends what is queued and reads all results. Returns the last, or throws the first failure after having read the rest.
    func finish(_ interrupt: inout Interrupt) throws(PostgresError) -> PostgresResult {
        try flush(&interrupt)
        var last: PostgresResult?
        var failure: PostgresError?
        while let result = try nextResult(&interrupt) {
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                last = result.contents()
            case PGRES_COPY_IN:
                failure = failure ?? Self.copyRefused
                PQputCopyEnd(raw, "COPY was not asked for")
                try flush(&interrupt)
            case PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // Its rows can't be declined; the caller gives the connection up.
                throw PostgresError(code: .connectionLost, serverMessage: "COPY to the client is not supported")
            default:
                failure = failure ?? result.error()
            }
        }
        if var failure {
            if isBroken { failure.code = .connectionLost }
            throw failure
        }
        guard let last else { throw lost() }
        return last
    }

    private static var copyRefused: PostgresError {
        PostgresError(code: .misuse, serverMessage: "COPY FROM STDIN needs a source: use copyIn")
    }

    /// C strings end at a NUL: the server would run the first half.
    func checkText(_ sql: String) throws(PostgresError) {
        if sql.utf8.contains(0) { throw PostgresError(code: .invalidParameter, serverMessage: "the statement contains a NUL byte") }
    }

    /// The library refused to queue a statement: the connection is gone, or another statement is under way.
    func notSent() -> PostgresError {
        var error = lost()
        if !isBroken { error.code = .misuse }
        return error
    }
}
