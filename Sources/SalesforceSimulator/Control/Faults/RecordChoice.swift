/// Which records of a write a fault meets: one by its place, each k-th, or those where a field has a value.
struct RecordChoice: Sendable {
    /// Counted from 0.
    var place = 0
    var every: Int?
    var field: String?
    var value: String?

    func meets(_ index: Int, _ record: RecordInput?) -> Bool {
        if let field {
            let sent = field.lowercased() == "id" ? record?.id : record?.input(field)?.described.string
            return sent == value
        }
        if let every { return (index + 1) % max(1, every) == 0 }
        return index == place
    }
}

extension Fault {
    /// What a write refuses, by the place of the record in the call.
    func rejections(_ call: CallDescription) -> [Int: RecordError] {
        guard kind == .reject || kind == .lockRow else { return [:] }
        // A call that has not been read yet, such as a Bulk batch, is met by place only.
        let count = max(call.records.count, call.ids.count, rejected.place + 1)
        var found: [Int: RecordError] = [:]
        for index in 0..<count {
            let record = index < call.records.count ? call.records[index] : nil
            guard rejected.meets(index, record) else { continue }
            found[index] = kind == .reject ? RecordError(code, message, fields) : Fault.lock(record, id: index < call.ids.count ? call.ids[index] : nil)
        }
        return found
    }

    /// The row that could not be locked is the record itself, or a parent that a new record names.
    private static func lock(_ record: RecordInput?, id: String?) -> RecordError {
        let parent = record?.fields.lazy.compactMap { $0.input.described.string }.first { RecordIdentifier.normalized($0) != nil }
        let row = id ?? record?.id ?? parent ?? ""
        return RecordError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: \(row)")
    }
}
