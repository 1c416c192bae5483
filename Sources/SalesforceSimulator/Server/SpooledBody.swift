import Foundation
import HummingbirdCore
import NIOCore

/// A request body that is written to a file while it arrives: uploads of Bulk 2.0 are too large to hold.
struct SpooledBody: Sendable {
    /// Bytes that a body may have; the org's own bound on uploads is lower.
    static let largest = 160_000_000

    let path: String
    let bytes: Int

    /// True for `PUT .../jobs/ingest/{id}/batches`.
    static func takes(_ method: String, _ target: String) -> Bool {
        method == "PUT" && target.lowercased().contains("/jobs/ingest/")
    }

    /// - Throws: `NIOTooManyBytesError` when the body is too large.
    static func receive(_ body: RequestBody) async throws -> SpooledBody {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("sf-simulator-upload-\(UUID().uuidString)").path
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
        do {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            var bytes = 0
            for try await buffer in body {
                bytes += buffer.readableBytes
                guard bytes <= largest else { throw NIOTooManyBytesError(maxBytes: largest) }
                try handle.write(contentsOf: Data(buffer.readableBytesView))
            }
            return SpooledBody(path: path, bytes: bytes)
        } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
    }

    /// Removes the file, unless someone has moved it away.
    func discard() { try? FileManager.default.removeItem(atPath: path) }
}
