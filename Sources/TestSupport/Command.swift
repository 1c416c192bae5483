internal import Foundation

/// Runs programs for tests, away from the cooperative pool.
public enum Command {
    /// A program that ended with another status than 0.
    public struct Failure: Error, CustomStringConvertible {
        public let command: String
        public let status: Int32
        public let output: String

        public var description: String { "\(command) ended with \(status): \(output)" }
    }

    /// Runs a program to its end.
    ///
    /// - Parameter program: a path, or a name that `PATH` finds.
    /// - Returns: what it wrote to standard output and standard error, together.
    /// - Throws: ``Failure``.
    @discardableResult
    public static func run(_ program: String, _ arguments: [String], input: String? = nil) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try runBlocking(program, arguments, input: input) })
            }
        }
    }

    /// Input and output are files, not pipes: a daemon that the program leaves behind cannot keep us waiting for their end.
    private static func runBlocking(_ program: String, _ arguments: [String], input: String?) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hc-command." + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let inputFile = folder.appendingPathComponent("input")
        let outputFile = folder.appendingPathComponent("output")
        try Data((input ?? "").utf8).write(to: inputFile)
        let child = try ChildProcess(program, arguments, inputFile: inputFile.path, outputFile: outputFile.path)
        let status = child.waitBlocking()
        let output = try String(decoding: Data(contentsOf: outputFile), as: UTF8.self)
        guard status == 0 else {
            throw Failure(command: ([program] + arguments).joined(separator: " "), status: status, output: output)
        }
        return output
    }
}
