public import PostgresClient

/// What of HC Sync a database has: the extension, or the portable bundle.
public struct InstalledBundle: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable { case `extension`, portable }

    public var kind: Kind
    /// As the database names it. An extension that has not been updated since it took over a portable bundle says `portable`.
    public var version: String

    public var description: String {
        kind == .extension ? "extension hc_sync \(version)" : "portable bundle \(version)"
    }

    /// - Returns: nil where there is none.
    public static func find(in postgres: some PostgresQueryable) async throws(PostgresError) -> InstalledBundle? {
        let row = try await postgres.query(
            """
            SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'hc_sync'),
                   pg_catalog.to_regclass('public.hc_connection') IS NOT NULL AND pg_catalog.to_regprocedure('public.hc_version()') IS NOT NULL
            """, []
        ).onlyRow()
        if let version = row[0] { return InstalledBundle(kind: .extension, version: version) }
        guard row[1] == "t" else { return nil }
        return InstalledBundle(kind: .portable, version: try await postgres.query("SELECT public.hc_version()", []).onlyRow()[0] ?? "")
    }

    /// - Throws: ``RelayError`` with what to do, when the relay cannot work with it.
    static func require(in postgres: some PostgresQueryable) async throws {
        guard let bundle = try await find(in: postgres) else {
            throw RelayError(
                .extensionMissing, "the database has no extension hc_sync: run hc-relay install, or CREATE EXTENSION hc_sync CASCADE as a superuser")
        }
        let needed = RelaySession.requiredExtensionVersion
        guard !RelaySession.isAtLeast(bundle.version, needed) else { return }
        let remedy =
            switch bundle.kind {
            case .extension: "run ALTER EXTENSION hc_sync UPDATE as a superuser"
            case .portable: "run hc-relay install --portable sql/portable/hc_sync--\(bundle.version)--\(needed).sql"
            }
        throw RelayError(.extensionTooOld, "the \(bundle.kind == .extension ? "extension hc_sync" : "portable bundle") is version \(bundle.version), this relay needs \(needed): \(remedy)")
    }
}
