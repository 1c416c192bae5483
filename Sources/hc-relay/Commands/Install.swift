import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct Install: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates the extension hc_sync in the database, or updates it; or applies the portable bundle.",
        discussion: """
            The extension needs a superuser. In a database that has the portable bundle it takes over, and capture in C begins table \
            by table while writers go on. Does nothing where it is up to date. On a server that allows no extension of ours, \
            --portable applies the bundle, or one of its upgrades, that make portable put into sql/portable; the owner of the \
            database may do that.
            """)

    @Option(help: ArgumentHelp("Applies this file of the portable bundle instead.", valueName: "file"))
    var portable: String?

    func run() async throws {
        // Read first: a file that is not there must not cost a connection.
        let script = try portable.map(PortableScript.init)
        try await Workplace.with(checksExtension: false) { place in
            let postgres = place.session.postgres
            let found = try await InstalledBundle.find(in: postgres)
            if let script {
                try await script.apply(to: postgres, where: found)
            } else {
                try await createOrUpdate(postgres, found)
            }
            try await postgres.execute("CALL public.hc_refresh()")
            if let installed = try await InstalledBundle.find(in: postgres) { print("\(installed) is installed") }
        }
    }

    private func createOrUpdate(_ postgres: PostgresSession, _ found: InstalledBundle?) async throws {
        let available = try await postgres.query(
            "SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'hc_sync'", []
        ).rows.first?[0]
        guard let available else {
            throw CommandFailure(
                "the server has no extension hc_sync: put it there with make install PG_CONFIG=..., or go without: \(Self.without)")
        }
        do {
            switch found?.kind {
            case .extension:
                if found?.version != available { try await postgres.execute("ALTER EXTENSION hc_sync UPDATE") }
            case .portable:
                try await postgres.transaction { transaction in
                    try await transaction.execute("CREATE EXTENSION hc_sync VERSION 'portable' CASCADE; ALTER EXTENSION hc_sync UPDATE")
                }
                for row in try await postgres.query("SELECT id FROM public.hc_connection ORDER BY schema_name", []).rows {
                    try await postgres.execute("CALL public.hc_capture_mode('\(row[0] ?? "")', 'c')")
                }
            case nil:
                try await postgres.execute("CREATE EXTENSION hc_sync CASCADE")
            }
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw CommandFailure("\(error.serverMessage ?? "no right to do that"): use a superuser in DATABASE_URL, or go without the extension: \(Self.without)")
        }
    }

    private static let without = "hc-relay install --portable sql/portable/hc_sync--\(RelaySession.requiredExtensionVersion).sql (made by make portable)"
}

/// A file of the portable bundle. It is written for psql; its lines for psql alone mean nothing here.
private struct PortableScript {
    let sql: String

    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("--portable names \(path), which cannot be read: make portable puts the files into sql/portable")
        }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        sql = lines.filter { !$0.hasPrefix("\\") }.joined(separator: "\n")
        guard sql.contains("hc_bundle.transaction") else { throw CommandFailure("\(path) is no file of the portable bundle") }
    }

    /// The file itself refuses a database that it is not for; one that is up to date is none of the errors.
    func apply(to postgres: PostgresSession, where found: InstalledBundle?) async throws {
        if let found, found.kind == .portable, found.version == RelaySession.requiredExtensionVersion { return }
        try await postgres.transaction { transaction in try await transaction.execute(sql) }
    }
}
