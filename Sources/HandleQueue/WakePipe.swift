#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A descriptor that a thread blocked in `poll` watches, and that any other thread can make readable.
///
/// Signals are not counted: many of them before one ``drain()`` are one.
public final class WakePipe: Sendable {
    /// Readable after ``signal()`` until ``drain()``.
    public let descriptor: Int32
    private let writeEnd: Int32

    /// Nil when the process has no descriptors left.
    public init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(descriptor)
        close(writeEnd)
    }

    /// Callable from any thread. A full pipe is as readable as one with a single byte, so a refused write is no failure.
    public func signal() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Takes back all signals given so far.
    public func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
