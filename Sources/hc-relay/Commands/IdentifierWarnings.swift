import Foundation
import PostgresClient
import Relay

/// Warnings of identifiers that may name the wrong record, or none.
enum IdentifierWarnings {
    struct Warning {
        var object: String
        var text: String
    }

    static func of(connection: String, in session: RelaySession) async throws(PostgresError) -> [Warning] {
        try await session.postgres.query(
            """
            SELECT m.object_name, w.text FROM public.hc_mapping m, LATERAL public.hc_identifier_warnings(m.id) AS w(text)
             WHERE m.connection = $1 ORDER BY m.object_name
            """, [.text(connection)]
        ).rows.map { Warning(object: $0["object_name"] ?? "", text: $0["text"] ?? "") }
    }

    /// Tells of those of some objects on the standard error, so that what a command prints stays what it is.
    static func show(of connection: String, objects: [String], in session: RelaySession) async throws(PostgresError) {
        let named = Set(objects.map { $0.lowercased() })
        for warning in try await of(connection: connection, in: session) where named.contains(warning.object.lowercased()) {
            FileHandle.standardError.write(Data("warning: identifier of \(warning.object): \(warning.text)\n".utf8))
        }
    }
}
