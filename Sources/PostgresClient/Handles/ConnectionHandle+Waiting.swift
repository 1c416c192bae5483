internal import CLibPQ
internal import HandleQueue
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

extension ConnectionHandle {
    /// Waits until the whole of what was queued has been given to the network, reading what the server sends meanwhile:
    /// a server that waits for its own output to be read takes no more input.
    func flush(_ interrupt: inout Interrupt) throws(PostgresError) {
        while true {
            switch PQflush(raw) {
            case 0: return
            case 1:
                let ready = try wait(for: Int16(POLLIN | POLLOUT), &interrupt)
                if ready & Int16(POLLIN) != 0, PQconsumeInput(raw) != 1 { throw lost() }
            default: throw lost()
            }
        }
    }

    /// The next result of the statement under way; nil after the last.
    func nextResult(_ interrupt: inout Interrupt) throws(PostgresError) -> ResultHandle? {
        while PQisBusy(raw) == 1 {
            _ = try wait(for: Int16(POLLIN), &interrupt)
            guard PQconsumeInput(raw) == 1 else { break }  // The result that follows says what was lost.
        }
        guard let result = PQgetResult(raw) else { return nil }
        return ResultHandle(adopting: result)
    }

    /// Waits for the server to send something, and takes it in.
    func readMore(_ interrupt: inout Interrupt) throws(PostgresError) {
        _ = try wait(for: Int16(POLLIN), &interrupt)
        guard PQconsumeInput(raw) == 1 else { throw lost() }
    }

    /// Blocks until the socket is ready for one of `events`. When an interrupt comes, asks the server to cancel and waits
    /// on for its answer, which is the end of the statement in either way.
    private func wait(for events: Int16, _ interrupt: inout Interrupt) throws(PostgresError) -> Int16 {
        while true {
            if interrupt.isDue {
                requestCancel()
                interrupt.begin()
            }
            let socket = PQsocket(raw)
            guard socket >= 0 else { throw lost() }
            var descriptors = [
                pollfd(fd: socket, events: events, revents: 0),
                pollfd(fd: interrupt.wake.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let timeout = interrupt.remainingMilliseconds
            let count = poll(&descriptors, 2, timeout)
            if count == 0 && timeout >= 0 {
                throw PostgresError(code: .connectionLost, serverMessage: "the server did not answer a cancellation")
            }
            if descriptors[1].revents != 0 { interrupt.wake.drain() }
            // An error or a hang-up shows when the socket is used.
            if descriptors[0].revents != 0 { return descriptors[0].revents | Int16(POLLIN) }
        }
    }

    /// Asks the server to cancel what it does for this connection, over a connection of its own. Returns when the server
    /// has taken the request, so that it cannot hit the next statement.
    func requestCancel() {
        guard let cancel = PQgetCancel(raw) else { return }
        defer { PQfreeCancel(cancel) }
        var message = [CChar](repeating: 0, count: 256)
        // A refusal changes nothing: the statement then ends by itself, or the patience does.
        _ = PQcancel(cancel, &message, Int32(message.count))
    }
}
