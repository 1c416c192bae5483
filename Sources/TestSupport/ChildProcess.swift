internal import CSpawn
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A program started by a test. It inherits no descriptor beyond the standard three: a server that stays behind would
/// otherwise keep the sockets and pipes of whatever test ran at that moment open.
public struct ChildProcess: Sendable {
    public struct NotStarted: Error {
        public let program: String
        public let code: Int32
    }

    public let identifier: Int32

    /// Starts a program that `PATH` finds, in the folder `/`.
    ///
    /// - Parameters:
    ///   - inputFile: what it reads from standard input.
    ///   - outputFile: where standard output and standard error go, appended.
    public init(_ program: String, _ arguments: [String], inputFile: String = "/dev/null", outputFile: String = "/dev/null") throws {
        let texts = ([program] + arguments).map { strdup($0) }
        defer { texts.forEach { free($0) } }
        var pid: pid_t = 0
        let code = cspawn(&pid, program, texts + [nil], inputFile, outputFile)
        guard code == 0 else { throw NotStarted(program: program, code: code) }
        identifier = pid
    }

    /// Blocks until it has ended.
    ///
    /// - Returns: its exit status, 128 more than the signal that ended it.
    @discardableResult
    public func waitBlocking() -> Int32 {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    /// Asks it to end, and waits for that.
    public func terminate() {
        kill(identifier, SIGTERM)
        waitBlocking()
    }
}
