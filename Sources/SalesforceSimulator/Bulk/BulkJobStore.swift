import Foundation

/// The Bulk jobs of the org. Files go with their jobs.
final class BulkJobStore {
    private(set) var jobs: [String: BulkJob] = [:]
    private var order: [String] = []
    /// Batches begun: Bulk 1.0 and 2.0 share the allowance.
    var batches = DailyCount()
    /// Query jobs of Bulk 2.0.
    var queryJobs = DailyCount()
    let directory: URL

    private let submit: AsyncStream<BulkWork>.Continuation

    /// Jobs and results are kept this long (wire reference 4.1, 4.2).
    private static let life = 7 * TimeText.millisecondsPerDay

    init(submit: AsyncStream<BulkWork>.Continuation) {
        self.submit = submit
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("sf-simulator-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// Oldest first.
    var all: [BulkJob] { order.compactMap { jobs[$0] } }

    subscript(id: String) -> BulkJob? {
        get { jobs[id] }
        set {
            if newValue == nil {
                for path in jobs[id]?.files ?? [] { try? FileManager.default.removeItem(atPath: path) }
                order.removeAll { $0 == id }
            } else if jobs[id] == nil {
                order.append(id)
            }
            jobs[id] = newValue
        }
    }

    /// Adds a job, and forgets those whose time is over.
    func add(_ job: BulkJob, now: Int64) {
        for old in all.prefix(while: { now - $0.created > BulkJobStore.life }) { self[old.id] = nil }
        self[job.id] = job
    }

    /// Hands a Bulk 2.0 job to the runner.
    func start(_ job: BulkJob) { submit.yield(BulkWork(job: job.id, batch: job.batches.first?.id)) }

    /// Hands the batches of a Bulk 1.0 job to the runner, oldest first, as long as there are workers; a Serial job has one.
    func dispatch(_ id: String, workers: Int) {
        guard var job = jobs[id], job.state != .aborted else { return }
        var free = (job.isSerial ? 1 : workers) - job.batches.count { $0.isTaken && ($0.state == .queued || $0.state == .inProgress) }
        for index in job.batches.indices where free > 0 && job.batches[index].state == .queued && !job.batches[index].isTaken {
            job.batches[index].isTaken = true
            free -= 1
            submit.yield(BulkWork(job: id, batch: job.batches[index].id))
        }
        jobs[id] = job
    }

    func file(_ name: String) throws -> URL {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory.appendingPathComponent(name)
    }

    // MARK: Allowances of 24 hours

    /// Counts one batch.
    ///
    /// - Throws: ``BulkFailure`` ExceededQuota when none is left.
    func countBatch(limit: Int, now: Int64) throws {
        guard batches.add(limit: limit, now: now) else {
            throw BulkFailure("ExceededQuota", "ApiBatchItems Limit exceeded. Number of batches in the last 24 hours: \(limit)")
        }
    }

    /// Counts one query job of Bulk 2.0.
    ///
    /// - Throws: ``BulkFailure`` ExceededQuota when none is left.
    func countQueryJob(limit: Int, now: Int64) throws {
        guard queryJobs.add(limit: limit, now: now) else {
            throw BulkFailure("ExceededQuota", "The limit of \(limit) query jobs in 24 hours is exceeded")
        }
    }
}

/// How often something happened in the last 24 hours, by the minute.
struct DailyCount: Sendable {
    private var minutes: [(minute: Int64, count: Int)] = []

    /// - Parameter now: Milliseconds since 1970.
    mutating func used(_ now: Int64) -> Int {
        minutes.removeAll { $0.minute <= now / 60_000 - 1_440 }
        return minutes.reduce(0) { $0 + $1.count }
    }

    /// - Returns: False, with nothing counted, when the limit is reached.
    mutating func add(limit: Int, now: Int64) -> Bool {
        guard used(now) < limit else { return false }
        let minute = now / 60_000
        if minutes.last?.minute == minute { minutes[minutes.count - 1].count += 1 } else { minutes.append((minute, 1)) }
        return true
    }
}

/// Why a batch or a job stopped: `stateMessage` and `errorMessage` are `code : message` (wire reference 4.2).
struct BulkFailure: Error, Sendable, Equatable {
    var code: String
    var message: String

    init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    var text: String { "\(code) : \(message)" }

    /// The form of a refused call; Bulk 2.0 writes codes in capitals.
    func refusal(bulk2: Bool) -> APIError { APIError(400, bulk2 ? code.uppercased() : code, message) }

    static func invalidBatch(_ message: String) -> BulkFailure { BulkFailure("InvalidBatch", message) }

    init(_ error: any Error) {
        switch error {
        case let failure as BulkFailure: self = failure
        case let refusal as APIError: self.init("InvalidBatch", "Failed to process query: \(refusal.code): \(refusal.message)")
        default: self.init("InternalServerError", "\(type(of: error))")
        }
    }
}
