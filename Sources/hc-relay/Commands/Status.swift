import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows how each connection and mapping stands.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Workplace.with { place in
            let documents = try await place.session.postgres.query(
                "SELECT public.hc_status(id) FROM public.hc_connection ORDER BY created_at, id", []
            ).rows.compactMap { $0[0] }
            switch output.output {
            case .json: print("[\(documents.joined(separator: ","))]")
            case .table: try documents.map { try StatusDocument($0) }.forEach(Self.show)
            }
            if documents.isEmpty, output.output == .table { print("no connection yet: hc-relay connection add") }
        }
    }

    private static func show(_ status: StatusDocument) {
        print("connection  \(status.connection)")
        print("schema      \(status.schema)")
        print("state       \(status.state)\(status.stateDetail.map { ": \($0)" } ?? "")")
        print("leader      \(status.leader ?? "none") (epoch \(status.epoch))")
        let log = status.log.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        print("log         \(log.isEmpty ? "empty" : log)")
        if let oldest = status.oldestUnsentSeconds { print("oldest      \(Int(oldest)) s unsent") }
        print("waiting     \(status.held) held, \(status.inDoubt) in doubt, \(status.waitingRows) rows to be written back, \(status.staged) staged")
        if let quota = status.quota { show(quota) }
        print("")
        guard !status.mappings.isEmpty else { return }
        Render.table(
            ["object", "table", "access", "state", "load", "calls today", "detail"],
            status.mappings.map { mapping in
                let load = mapping.load.map { "\($0.step) \($0.rows)\($0.expected.map { " of \($0)" } ?? "")" } ?? ""
                let calls = status.quota?.mappings[mapping.object].map { "\($0.calls) of \($0.maximum)" } ?? ""
                return [mapping.object, mapping.table, mapping.access, mapping.state, load, calls, mapping.stateDetail ?? ""]
            })
        print("")
    }

    /// Use of the org's API quota, and when its reserve will be reached at the present rate.
    private static func show(_ quota: StatusDocument.Quota) {
        let forecast = quota.reserveReachedAt.map { ", reaches the reserve at \($0)" } ?? ""
        print("quota       \(quota.used) of \(quota.maximum) API requests, \(quota.reserve) kept back; \(quota.callsPerHour) an hour\(forecast)")
        if let waiting = quota.waiting { print("            \(waiting)") }
    }
}
