import ArgumentParser
import PostgresClient
import Relay

struct Uninstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes the extension hc_sync out of the database and loses nothing.",
        discussion: """
            Capture goes on in PL/pgSQL, exchanged table by table while writers go on; catalog, mapped tables and log stay, as if \
            the portable bundle had made them, and the relay works on. The last step needs a superuser. To end a sync, use \
            hc-relay connection remove.
            """)

    func run() async throws {
        try await Workplace.with(checksExtension: false) { place in
            let postgres = place.session.postgres
            guard try await InstalledBundle.find(in: postgres)?.kind == .extension else {
                throw CommandFailure("the database has no extension hc_sync: there is nothing to take out")
            }
            let isSuperuser = try await postgres.query(
                "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user", []
            ).onlyRow()[0] == "t"
            try await postgres.execute("CALL public.hc_uninstall()")
            guard isSuperuser else {
                throw CommandFailure(
                    "capture is in PL/pgSQL now, and the extension is still there: as a superuser, CALL public.hc_uninstall(); DROP EXTENSION hc_sync;")
            }
            try await postgres.execute("DROP EXTENSION hc_sync")
            print("extension hc_sync is removed; catalog, tables and log stay, and capture goes on in PL/pgSQL")
        }
    }
}
