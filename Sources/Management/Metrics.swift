internal import Relay

/// Figures in Prometheus' text format.
struct Metrics {
    private(set) var text = ""

    init(_ documents: [StatusDocument], roles: [String: RelayHealth.Role]) {
        family("hc_leads", "Whether this relay leads the connection.", documents) { [([:], roles[$0.connection] == .leads ? 1 : 0)] }
        family("hc_log_entries", "Entries in the trigger log by state.", documents) { $0.log.sorted { $0.key < $1.key }.map { (["state": $0.key], Double($0.value)) } }
        family("hc_oldest_unsent_seconds", "Age of the oldest change that Salesforce has not accepted.", documents) { [([:], $0.oldestUnsentSeconds ?? 0)] }
        family("hc_entries_held", "Changes that wait for another change.", documents) { [([:], Double($0.held))] }
        family("hc_entries_in_doubt", "Changes that were sent and whose outcome is not known.", documents) { [([:], Double($0.inDoubt))] }
        family("hc_rows_waiting", "Rows whose answer is known and not written back yet.", documents) { [([:], Double($0.waitingRows))] }
        family("hc_records_staged", "Records from Salesforce that are not merged yet.", documents) { [([:], Double($0.staged))] }
        family("hc_batches", "Open batches by state.", documents) { $0.batches.sorted { $0.key < $1.key }.map { (["state": $0.key], Double($0.value)) } }
        family("hc_notifications", "Notifications that nobody has acknowledged.", documents) { [([:], Double($0.notifications))] }
        family("hc_sequence_used", "Used fraction of the numbers of a sequence; act at 0.8.", documents) {
            ($0.sequences ?? [:]).sorted { $0.key < $1.key }.map { (["sequence": $0.key], $0.value) }
        }
        family("hc_mapping_state", "1 for the state a mapping is in.", documents) { $0.mappings.map { (["object": $0.object, "state": $0.state], 1) } }
    }

    private mutating func family(
        _ name: String, _ help: String, _ documents: [StatusDocument], _ values: (StatusDocument) -> [([String: String], Double)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
        for document in documents {
            for (labels, value) in values(document) {
                let all = labels.merging(["schema": document.schema]) { $1 }.sorted { $0.key < $1.key }
                let list = all.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
                text += "\(name){\(list)} \(value == value.rounded() ? String(Int(value)) : String(value))\n"
            }
        }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
