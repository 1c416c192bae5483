import PostgresClient
import Relay

/// Changes mappings that are there: shows the plan, does it, and runs what is left, each statement in a transaction of its own.
struct MappingChange: Sendable {
    let place: Workplace
    let connection: ConnectionOptions.Found
    var isDryRun = false
    /// Whether views and other objects that depend on a column that goes are dropped with it.
    var cascades = false

    /// Cut off at any point, the same call completes what is left.
    /// - Parameter wanted: the mapping's object and its whole new configuration.
    func apply(_ wanted: Registration.Wanted, to mapping: String) async throws {
        let description = try await Registration(place: place, connection: connection).description(of: wanted)
        let steps = try await place.session.postgres.query(
            "SELECT step, detail FROM public.hc_mapping_alter($1, $2, $3, $4, $5)",
            [.text(mapping), .json(wanted.config), .json(description), .bool(isDryRun), .bool(cascades)]
        ).rows
        // What is left to run is shown when it is run.
        for step in steps where !(step["step"] ?? "").hasPrefix("to run: ") {
            print("\(wanted.object): \(step["step"] ?? ""): \(step["detail"] ?? "")")
        }
        if steps.isEmpty { print("\(wanted.object): nothing to change") }
        if !isDryRun { try await finish(mapping, wanted.object) }
    }

    /// Runs what `hc_mapping_pending` lists, in its order, until nothing is left.
    private func finish(_ mapping: String, _ object: String) async throws {
        var before: [String] = []
        while true {
            let pending = try await place.session.postgres.query(
                "SELECT step, statement FROM public.hc_mapping_pending($1)", [.text(mapping)]
            ).rows
            let statements = pending.compactMap { $0["statement"] }
            guard let first = statements.first else { return }
            guard statements != before else {
                throw CommandFailure("\(object): not done after it was run: \(first); hc-relay mapping edit \(object) tries again")
            }
            for step in pending {
                print("\(object): \(step["step"] ?? ""): \(step["statement"] ?? "")")
                _ = try await place.session.postgres.query(step["statement"] ?? "", [])
            }
            before = statements
        }
    }
}
