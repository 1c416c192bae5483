internal import Dispatch
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Calls back on a queue whenever a socket becomes readable, for as long as it lives.
///
/// Watches a duplicate of the descriptor: libpq closes its own when a connection breaks, and a number in use again for
/// something else must not be watched by mistake.
final class SocketWatch {
    private let source: any DispatchSourceRead

    /// - Returns: nil when the process has no descriptors left.
    init?(socket: Int32, queue: DispatchQueue, onReadable: @escaping @Sendable () -> Void) {
        let duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { return nil }
        source = DispatchSource.makeReadSource(fileDescriptor: duplicate, queue: queue)
        source.setEventHandler(handler: onReadable)
        source.setCancelHandler { close(duplicate) }
        source.resume()
    }

    deinit {
        source.cancel()
    }
}
