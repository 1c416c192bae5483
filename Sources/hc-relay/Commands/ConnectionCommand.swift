import ArgumentParser
import PostgresClient
import Relay
import SalesforceAPI

struct ConnectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection", abstract: "Adds, shows, changes, pauses, rebinds and removes connections.",
        subcommands: [
            ConnectionAdd.self, ConnectionList.self, ConnectionEdit.self, ConnectionPause.self, ConnectionResume.self, ConnectionRebind.self,
            ConnectionRemove.self,
        ])
}

struct ConnectionAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Binds the Salesforce org of the credentials that are set to a schema of the database.")

    @Option(help: "The schema for the mapped tables and the trigger log, at most 48 bytes.")
    var schema = "salesforce"

    @Option(help: "The API version that the connection keeps, such as 62.0; none: SALESFORCE_API_VERSION, whatever it is then.")
    var apiVersion: String?

    func run() async throws {
        try await Workplace.with { place in
            let client = try await place.salesforce(apiVersion: apiVersion)
            let grant = try await client.session.current()
            let id = try await place.session.call(
                "hc_connection_create", [.text(schema), .text(grant.organizationID), .text(apiVersion)])
            print(id ?? "")
        }
    }
}

struct ConnectionList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows all connections.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Workplace.with { place in
            try await Render.rows(
                """
                SELECT id, schema_name AS schema, organization_id AS organization, api_version, state, state_detail AS detail,
                       leader FROM public.hc_connection ORDER BY created_at, id
                """, in: place.session, as: output.output)
        }
    }
}

struct ConnectionPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stops sending and reading after the batch under way; changes go on being captured.")

    @Argument(help: "Schema or id of the connection; may be left out if there is only one.") var name: String?

    func run() async throws {
        try await Workplace.with { place in
            let found = try await ConnectionOptions.find(name, in: place.session)
            try await place.session.call("hc_pause", [.text(found.id)])
            print("connection \(found.schema) is paused")
        }
    }
}

struct ConnectionResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Goes on where a paused connection stopped.")

    @Argument(help: "Schema or id of the connection; may be left out if there is only one.") var name: String?

    func run() async throws {
        try await Workplace.with { place in
            let found = try await ConnectionOptions.find(name, in: place.session)
            try await place.session.call("hc_resume", [.text(found.id)])
            print("connection \(found.schema) goes on")
        }
    }
}
