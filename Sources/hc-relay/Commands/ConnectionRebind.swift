import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct ConnectionRebind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebind",
        abstract: "Says that this database shall be the connection's, after a restore, a copy or pg_upgrade stopped it.",
        discussion: """
            hc-relay doctor says what is different and what would be sent. Changes that are not marked as sent go out, and batches \
            without an answer are looked up first. In an older state of the database some of them were sent already: \
            --ignore-unsent sends none of them. Stop the relays of the other database first.
            """)

    @Argument(help: "Schema or id of the connection; may be left out if there is only one.") var name: String?

    @Flag(help: "Sends none of the changes that this database has not sent.") var ignoreUnsent = false

    private struct Found: Decodable {
        var unsent: Int
        var in_flight: Int
    }

    func run() async throws {
        try await Workplace.with { place in
            let found = try await ConnectionOptions.find(name, in: place.session)
            let left = try await place.session.call(
                "hc_rebind", [.text(found.id), .text(ignoreUnsent ? "true" : "false")], as: Found.self)
            let fate = ignoreUnsent ? "ignored" : "not sent yet"
            print("connection \(found.schema) is bound to this database: \(left?.unsent ?? 0) changes and \(left?.in_flight ?? 0) batches \(fate)")
        }
    }
}
