import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct Undo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes captured changes back: shows what it would do, and does it with --yes.",
        discussion: """
            An UPDATE puts back the columns that still hold what it wrote, an INSERT deletes its row, a DELETE brings its row back and \
            takes its record out of Salesforce's recycle bin. What is done is captured and sent like any change. A change that cannot \
            be undone, or that others have changed since, stops all of it unless --skip-conflicts leaves it out.
            """)

    @Option(help: "The changes of a batch, as log lines name it; known for a day.") var batch: Int?
    @Option(help: "The changes of a table; with --record or --since.") var table: String?
    @Option(help: "The changes of the row with this id.") var record: Int?
    @Option(help: "The changes of the record with this Salesforce id.") var sfid: String?
    @Option(help: "The changes captured since a time, such as \"2026-05-01 10:00+02\".") var since: String?
    @Option(help: "Only those captured before a time.") var until: String?
    @Flag(help: "Do it. Without, nothing is changed.") var yes = false
    @Flag(help: "Leave out what cannot be undone and what others have changed since.") var skipConflicts = false
    @OptionGroup var which: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if batch == nil, record == nil, sfid == nil, since == nil {
            throw ValidationError("say what to undo: --batch, --record with --table, --sfid, or --since")
        }
        if record != nil, table == nil { throw ValidationError("--record needs --table") }
    }

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let entries = try await place.session.call("hc_undo_entries", [
                .text(connection.id), .text(batch.map(String.init)), .text(table), .text(record.map(String.init)), .text(sfid), .text(since), .text(until),
            ])
            guard let entries, entries != "{}" else { throw CommandFailure("there is no change to undo") }
            // The answer is kept: a second look would show what the undo has left to undo.
            let answer = try await place.session.postgres.query(
                "SELECT coalesce(jsonb_agg(to_jsonb(u)), '[]') FROM public.hc_undo($1, $2, $3, $4) u",
                [.text(connection.id), .text(entries), .bool(yes), .bool(skipConflicts)]
            ).onlyRow()[0] ?? "[]"
            let changes = try JSONDecoder().decode([Change].self, from: Data(answer.utf8))
            show(changes, answer)
            let hindered = changes.filter { ["conflict", "refused"].contains($0.effect) }.count
            if yes, hindered > 0, !skipConflicts {
                throw CommandFailure("nothing is undone: \(hindered) of \(changes.count) changes cannot be, see above; --skip-conflicts leaves them out")
            }
            guard output.output == .table else { return }
            print(yes ? "\(changes.filter { $0.undoneBy != nil }.count) changes are undone and will be sent" : "nothing is changed yet: --yes does it")
        }
    }

    private struct Change: Decodable {
        var logID: Int
        var action: String
        var tableName: String
        var recordID: Int?
        var effect: String
        var columns: [String]?
        var reason: String?
        var undoneBy: Int?

        private enum CodingKeys: String, CodingKey {
            case action, effect, columns, reason
            case logID = "log_id"
            case tableName = "table_name"
            case recordID = "record_id"
            case undoneBy = "undone_by"
        }
    }

    private func show(_ changes: [Change], _ json: String) {
        guard output.output == .table else { return print(json) }
        Render.table(
            ["entry", "change", "table", "row", "undo", "columns", "reason"],
            changes.map {
                [String($0.logID), $0.action, $0.tableName, $0.recordID.map(String.init) ?? "", $0.effect,
                    ($0.columns ?? []).joined(separator: ", "), $0.reason ?? ""]
            })
    }
}
