import ArgumentParser
import Foundation
import PostgresClient
import Relay
import SalesforceAPI

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks database, identity, extension, login and mapped objects, and says what to do.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        var report = Report()
        do {
            try await Workplace.with { place in
                let bundle = try await InstalledBundle.find(in: place.session.postgres)
                report.note("database", "reachable, no pooler, \(bundle.map(String.init(describing:)) ?? "")")
                try await connections(place, &report)
                try await sequences(place, &report)
            }
        } catch {
            report.fail("database", CommandFailure.line(error))
        }
        report.show(output.output)
        if report.hasFailures { throw ExitCode(1) }
    }

    private func connections(_ place: Workplace, _ report: inout Report) async throws {
        let rows = try await place.session.postgres.query(
            """
            SELECT id, schema_name, api_version, state, state_detail, leader, generated_by IS DISTINCT FROM public.hc_version() AS stale
              FROM public.hc_connection ORDER BY created_at
            """, []
        ).rows
        if rows.isEmpty { report.fail("connection", "there is none: hc-relay connection add") }
        for row in rows {
            let schema = row["schema_name"] ?? ""
            let isWell = ["IDLE", "POLLING_DB_CHANGES", "IMPORT_CONFIGURATION", "BUSY", "NEW"].contains(row["state"] ?? "")
            report.add(
                "connection \(schema)", isWell, [row["state"], row["state_detail"]].compactMap { $0 }.joined(separator: ": "))
            if row["stale"] == "t" {
                report.fail("functions \(schema)", "made by an older version: CALL public.hc_refresh(), or hc-relay install")
            }
            try await identity(row["id"] ?? "", schema, place, &report)
            try await writes(row["id"] ?? "", schema, place, &report)
            do {
                let client = try await place.salesforce(apiVersion: row["api_version"])
                report.note("login \(schema)", "org \(try await client.session.current().organizationID)")
                try await objects(row["id"] ?? "", client, place, &report)
            } catch let error as PostgresError {
                throw error
            } catch {
                report.fail("login \(schema)", CommandFailure.line(error))
            }
        }
    }

    /// Whether a relay that runs here, with this DATABASE_URL, would find the database that the connection is bound to.
    private func identity(_ connection: String, _ schema: String, _ place: Workplace, _ report: inout Report) async throws {
        let keeper = FenceKeeper(directory: place.settings.stateDirectory, connection: connection)
        let row = try await place.session.postgres.query(
            """
            SELECT public.hc_identity_differs(c, $2::jsonb) AS why, public.hc_unsent(c) ->> 'unsent' AS unsent, public.hc_unsent(c) ->> 'in_flight' AS batches,
                   i.marks ->> 'system' AS system, i.marks ->> 'database' AS name, i.marks ->> 'database_oid' AS oid, $2::jsonb ->> 'address' AS address
              FROM public.hc_connection c CROSS JOIN LATERAL (SELECT public.hc_identity(c.schema_name) AS marks) i WHERE c.id = $1
            """, [.text(connection), .json(place.session.whence(keeper))]
        ).onlyRow()
        if let why = row["why"] {
            report.fail(
                "identity \(schema)",
                "\(why); \(row["unsent"] ?? "0") unsent changes and \(row["batches"] ?? "0") batches would go out after hc-relay connection rebind \(schema), none with --ignore-unsent")
            return
        }
        let system = row["system"].map { "system \($0)" } ?? "no system identifier (the server shows none: a copy on another server is known by its address and fence only)"
        let fence = keeper == nil ? "no fence is kept (HC_STATE_DIRECTORY): an older state restored in place is not noticed" : "fence kept here"
        report.note(
            "identity \(schema)", "\(system), database \(row["name"] ?? "") (\(row["oid"] ?? "")), at \(row["address"] ?? ""), \(fence)")
    }

    /// What merged writes may cost. Warnings only: whether it matters is the user's to know.
    private func writes(_ connection: String, _ schema: String, _ place: Workplace, _ report: inout Report) async throws {
        let rows = try await place.session.postgres.query(
            "SELECT public.hc_write_algorithm(c) AS algorithm, w.topic, w.warning FROM public.hc_connection c LEFT JOIN LATERAL public.hc_write_warnings(c) w ON true WHERE c.id = $1",
            [.text(connection)]
        ).rows
        for row in rows {
            let warning = row["warning"].map { ": warning, \(row["topic"] ?? ""): \($0)" } ?? ""
            report.note("writes \(schema)", (row["algorithm"] ?? "") + warning)
        }
    }

    private func objects(_ connection: String, _ client: SalesforceClient, _ place: Workplace, _ report: inout Report) async throws {
        let rows = try await place.session.postgres.query(
            """
            SELECT m.object_name, m.state, m.state_detail, public.hc_capture_trouble(m.id) AS trouble, array_to_string(ARRAY(SELECT f.field_name FROM public.hc_field f
                   WHERE f.mapping = m.id AND f.relationship_field IS NULL), ' ') AS fields
              FROM public.hc_mapping m WHERE m.connection = $1 ORDER BY m.object_name
            """, [.text(connection)]
        ).rows
        for row in rows {
            let object = row["object_name"] ?? ""
            do throws(SalesforceError) {
                let known = Set(try await client.describe(object).view.fields.map(\.name))
                let missing = (row["fields"] ?? "").split(separator: " ").map(String.init).filter { !known.contains($0) }
                if !missing.isEmpty {
                    report.fail("object \(object)", "the sync user cannot read \(missing.joined(separator: ", ")): check field-level security")
                } else if let trouble = row["trouble"] {
                    report.fail("object \(object)", trouble)
                } else {
                    let isWell = !["BAD_CONFIG", "BULK_LOAD_ERROR", "SYSTEM_ERROR", "UNAUTHORIZED"].contains(row["state"] ?? "")
                    report.add("object \(object)", isWell, [row["state"], row["state_detail"]].compactMap { $0 }.joined(separator: ": "))
                }
            } catch {
                report.fail("object \(object)", error.description)
            }
        }
        for warning in try await IdentifierWarnings.of(connection: connection, in: place.session) {
            report.note("identifier \(warning.object)", "warning: \(warning.text)")
        }
    }

    /// Warns of sequences that have used half of their numbers; 80% is a failure.
    private func sequences(_ place: Workplace, _ report: inout Report) async throws {
        let rows = try await place.session.postgres.query(
            "SELECT schema_name, sequence_name, type, floor(used * 100) AS percent, level FROM public.hc_sequences() WHERE level IS NOT NULL", []
        ).rows
        for row in rows {
            let name = [row["schema_name"], row["sequence_name"]].compactMap { $0 }.joined(separator: ".")
            let finding = "\(row["percent"] ?? "")% of its \(row["type"] ?? "") numbers are used: CALL public.hc_bigint for its connection"
            if row["level"] == "error" {
                report.fail("sequence \(name)", finding)
            } else {
                report.note("sequence \(name)", "warning: \(finding)")
            }
        }
        if rows.isEmpty { report.note("sequences", "none has used half of its numbers") }
    }

    /// What was looked at, and how it was.
    struct Report {
        private struct Finding: Encodable {
            var check: String
            var ok: Bool
            var finding: String
        }

        private var findings: [Finding] = []

        var hasFailures: Bool { findings.contains { !$0.ok } }

        mutating func add(_ check: String, _ ok: Bool, _ finding: String) {
            findings.append(Finding(check: check, ok: ok, finding: finding))
        }
        mutating func note(_ check: String, _ finding: String) { add(check, true, finding) }
        mutating func fail(_ check: String, _ finding: String) { add(check, false, finding) }

        func show(_ format: OutputFormat) {
            switch format {
            case .table: Render.table(["check", "result", "finding"], findings.map { [$0.check, $0.ok ? "ok" : "FAILED", $0.finding] })
            case .json:
                let text = (try? JSONEncoder().encode(findings)).map { String(decoding: $0, as: UTF8.self) }
                print(text ?? "[]")
            }
        }
    }
}
