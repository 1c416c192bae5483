/// How Bulk behaves where the reference leaves room, and how fast it is.
struct BulkSettings: Codable, Sendable, Equatable {
    /// Milliseconds that a job or batch waits before it is begun.
    var queueMilliseconds = 0
    /// Milliseconds that a worker holds the rows of a chunk of 200 locked: the service time of its automation.
    var chunkMilliseconds = 0
    /// Milliseconds that a worker waits for a row that someone else has locked, before it gives the row UNABLE_TO_LOCK_ROW.
    var lockWaitMilliseconds = 10_000
    /// Workers that a Parallel job has at most.
    var workers = 4
    /// Users, by name, with the permission "Bulk API Hard Delete"; `*` is everyone.
    var hardDeleteUsers: [String] = []
    /// The order of Bulk 2.0 results follows from it.
    var seed: UInt64 = 1
    /// Bytes of a Bulk 2.0 upload, counted in base 64 (wire reference 4.2).
    var uploadBytes = 150_000_000
    /// Records of an internal batch of Bulk 2.0.
    var batchRecords = 10_000
    /// Characters of one field; the documentation says 32,000, long texts hold 131,072.
    var fieldCharacters = 131_072
    /// Jobs on a page of a list.
    var listPage = 1_000
    /// A job stops with TooManyLockFailure after this many records; nil never.
    var failAfterRecords: Int?
    /// Minutes east of UTC where a datetime without an offset is read.
    var defaultOffsetMinutes = 0
    /// Datetimes of Bulk 1.0 JSON query results are milliseconds since 1970; otherwise texts.
    var epochDates = true

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ standard: Value) throws -> Value {
            try values.decodeIfPresent(Value.self, forKey: key) ?? standard
        }
        queueMilliseconds = try read(.queueMilliseconds, queueMilliseconds)
        chunkMilliseconds = try read(.chunkMilliseconds, chunkMilliseconds)
        lockWaitMilliseconds = try read(.lockWaitMilliseconds, lockWaitMilliseconds)
        workers = try read(.workers, workers)
        hardDeleteUsers = try read(.hardDeleteUsers, hardDeleteUsers)
        seed = try read(.seed, seed)
        uploadBytes = try read(.uploadBytes, uploadBytes)
        batchRecords = try read(.batchRecords, batchRecords)
        fieldCharacters = try read(.fieldCharacters, fieldCharacters)
        listPage = try read(.listPage, listPage)
        failAfterRecords = try values.decodeIfPresent(Int.self, forKey: .failAfterRecords)
        defaultOffsetMinutes = try read(.defaultOffsetMinutes, defaultOffsetMinutes)
        epochDates = try read(.epochDates, epochDates)
    }
}

extension BulkSettings {
    /// Takes the members that a control call names.
    mutating func apply(_ body: JSON) {
        if let value = body["queueMilliseconds"]?.int { queueMilliseconds = value }
        if let value = body["chunkMilliseconds"]?.int { chunkMilliseconds = value }
        if let value = body["lockWaitMilliseconds"]?.int { lockWaitMilliseconds = value }
        if let value = body["workers"]?.int { workers = max(1, value) }
        if let value = body["hardDeleteUsers"] { hardDeleteUsers = value.elements.compactMap(\.string) }
        if let value = body["seed"]?.string.flatMap({ UInt64($0) }) { seed = value }
        if let value = body["uploadBytes"]?.int { uploadBytes = value }
        if let value = body["batchRecords"]?.int { batchRecords = max(1, value) }
        if let value = body["fieldCharacters"]?.int { fieldCharacters = value }
        if let value = body["listPage"]?.int { listPage = max(1, value) }
        if let value = body["failAfterRecords"] { failAfterRecords = value.int }
        if let value = body["defaultOffsetMinutes"]?.int { defaultOffsetMinutes = value }
        if let value = body["epochDates"]?.bool { epochDates = value }
    }

    var json: JSON {
        [
            "queueMilliseconds": .int(queueMilliseconds), "chunkMilliseconds": .int(chunkMilliseconds),
            "lockWaitMilliseconds": .int(lockWaitMilliseconds), "workers": .int(workers), "hardDeleteUsers": .texts(hardDeleteUsers),
            "seed": .int(seed), "uploadBytes": .int(uploadBytes), "batchRecords": .int(batchRecords), "fieldCharacters": .int(fieldCharacters),
            "listPage": .int(listPage), "failAfterRecords": failAfterRecords.map { .int($0) } ?? .null,
            "defaultOffsetMinutes": .int(defaultOffsetMinutes), "epochDates": .bool(epochDates),
        ]
    }
}

extension OrgSettings {
    var bulk: BulkSettings {
        get { bulkSettings ?? BulkSettings() }
        set { bulkSettings = newValue }
    }

    /// Batches of both Bulk APIs in 24 hours.
    var dailyBulkBatches: Int { otherLimits["DailyBulkApiBatches"] ?? 15_000 }
}
