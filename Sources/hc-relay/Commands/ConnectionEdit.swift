import ArgumentParser
import PostgresClient
import Relay

struct ConnectionEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "edit", abstract: "Changes settings of a connection.")

    @Argument(help: "Schema or id of the connection; may be left out if there is only one.") var name: String?
    @Option(help: "Whether assignment rules run for new Accounts, Cases and Leads: true, false, or the id of a rule.")
    var assignmentRules: String?

    func validate() throws {
        guard let rule = assignmentRules else { throw ValidationError("name something to change, such as --assignment-rules true") }
        guard ["true", "false"].contains(rule) || rule.wholeMatch(of: /01Q[a-zA-Z0-9]{12}([A-Z0-5]{3})?/) != nil else {
            throw ValidationError("--assignment-rules takes true, false, or the id of a rule, which begins with 01Q")
        }
    }

    func run() async throws {
        try await Workplace.with { place in
            let found = try await ConnectionOptions.find(name, in: place.session)
            _ = try await place.session.postgres.query(
                "UPDATE public.hc_connection SET settings = settings || jsonb_build_object('use_assignment_rules', $2::text) WHERE id = $1",
                [.text(found.id), .text(assignmentRules)])
            print("connection \(found.schema): assignment rules \(assignmentRules == "false" ? "do not run" : "run for new records")")
        }
    }
}
