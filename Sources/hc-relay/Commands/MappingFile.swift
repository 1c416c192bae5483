import Foundation
import PostgresClient

/// A mapping file on disk. What it says is read by the database alone.
enum MappingFile {
    static func read(_ file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CommandFailure("cannot read \(file): check its name and its rights")
        }
        guard let text = String(bytes: data, encoding: .utf8) else { throw CommandFailure("\(file) is not UTF-8 text: save it as UTF-8") }
        return text
    }

    /// Runs work that gives the file to the database; what the database finds wrong in it is said with the file's name and place.
    static func explaining<R>(_ file: String, _ text: String, _ work: () async throws -> R) async throws -> R {
        do {
            return try await work()
        } catch let error as PostgresError {
            guard !file.isEmpty, let state = error.sqlState, state.hasPrefix("22") else { throw error }
            let place = state == "22P02" ? MalformedJSON(text, error).place : ""
            let reason = [error.serverMessage ?? "", error.detail, error.hint].compactMap { $0 }.joined(separator: "; ")
            throw CommandFailure("\(file)\(place): \(reason); a mapping file is an object with the list \"mappings\"")
        }
    }
}
