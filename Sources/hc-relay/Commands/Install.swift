import ArgumentParser
import PostgresClient
import Relay

struct Install: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates the extension hc_sync in the database, or updates it.",
        discussion: "Needs a superuser, or a role that may create extensions. Does nothing where it is up to date.")

    func run() async throws {
        try await Workplace.with(checksExtension: false) { place in
            let postgres = place.session.postgres
            try await postgres.execute("CREATE EXTENSION IF NOT EXISTS hc_sync CASCADE")
            let find = """
                SELECT e.extversion, a.default_version FROM pg_catalog.pg_extension e
                  JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname WHERE e.extname = 'hc_sync'
                """
            let row = try await postgres.query(find, []).onlyRow()
            if row[0] != row[1] { try await postgres.execute("ALTER EXTENSION hc_sync UPDATE") }
            print("extension hc_sync \(try await postgres.query(find, []).onlyRow()[0] ?? "") is installed")
        }
    }
}
