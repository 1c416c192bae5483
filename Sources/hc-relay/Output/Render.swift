import ArgumentParser
import Foundation
import PostgresClient
import Relay

/// How a command shows what it found.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

struct OutputOptions: ParsableArguments {
    @Option(help: "How to show the answer: table or json.")
    var output: OutputFormat = .table
}

/// Writes to standard output.
enum Render {
    /// Runs a query and shows its rows, as a table or as a JSON array of objects.
    static func rows(_ sql: String, _ parameters: [PostgresParameter] = [], in session: RelaySession, as format: OutputFormat) async throws {
        switch format {
        case .json:
            let text = "SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM (\(sql)) x"
            print(try await session.postgres.query(text, parameters).onlyRow()[0] ?? "[]")
        case .table:
            let result = try await session.postgres.query(sql, parameters)
            table(result.columns.map(\.name), result.rows.map { row in row.values.map { $0 ?? "" } })
        }
    }

    /// Columns as wide as their widest value, two spaces between them.
    static func table(_ columns: [String], _ rows: [[String]]) {
        let lines = [columns.map { $0.uppercased() }] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let cells = line.enumerated().map { index, cell in
                index == line.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            print(cells.joined(separator: "  "))
        }
    }
}
