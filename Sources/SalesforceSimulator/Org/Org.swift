import Dispatch
import Foundation
import GRDB
import Logging

/// The simulated org. One request at a time works on it, off Swift's cooperative threads, because SQLite blocks.
actor Org {
    private final class QueueExecutor: SerialExecutor {
        private let queue = DispatchQueue(label: "sf-simulator.org")

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
        }
    }

    private let executor = QueueExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let database: DatabaseQueue
    private let state: OrgState
    /// Batches of Bulk jobs that wait to be run: a few bytes for each that a client has made.
    nonisolated let work: AsyncStream<BulkWork>
    /// Streaming connects that wait.
    nonisolated let connects: HeldConnects

    /// Opens the org in a file, or makes one in memory.
    ///
    /// - Parameters:
    ///   - path: The SQLite file; nil keeps records in memory.
    ///   - sample: Fills an org that has no objects yet with the sample org.
    init(path: String?, sample: Bool, versions: [String]) throws {
        let (work, submit) = AsyncStream.makeStream(of: BulkWork.self, bufferingPolicy: .bufferingOldest(100_000))
        self.work = work
        var configuration = Configuration()
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;")
            if path != nil { try db.execute(sql: "PRAGMA journal_mode = WAL") }
        }
        let database = try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
            ?? DatabaseQueue(configuration: configuration)
        self.database = database
        self.state = try database.writeWithoutTransaction { db in
            try OrgStore.prepare(db)
            let known = try OrgStore.settings(db)
            var settings = known ?? OrgSettings(
                organizationId: RecordIdentifier.make(keyPrefix: "00D", number: 62 * 62 * 7 + 1), organizationName: "HC Sync Sample", versions: versions)
            settings.versions = versions
            let state = OrgState(
                settings: settings, objects: try OrgStore.objects(db), clock: OrgClock(), jobs: BulkJobStore(submit: submit))
            try db.inTransaction {
                if known == nil { try SampleOrg.createFoundation(state, db) }
                if sample, state.object("Account") == nil { try SampleOrg.fill(state, db) }
                // What an org begins with is no change of it.
                state.journal.discard()
                try StreamingPublisher.prepare(state, db)
                try state.saveSettings(db)
                return .commit
            }
            return state
        }
        connects = state.streaming.connects
    }

    /// Runs `body` alone on the org. Late commits that are due have happened before.
    func perform<Result: Sendable>(_ body: @Sendable (OrgState, Database) throws -> Result) throws -> Result {
        try database.writeWithoutTransaction { db in
            defer { state.journal.discard() }
            for entry in state.openTransactions.takeDue(at: state.now) {
                try state.end(entry, commits: true, db)
                try state.publishChanges(db)
            }
            try RecycleBin(state: state, db: db).tidy()
            let result = try body(state, db)
            try state.publishChanges(db)
            return result
        }
    }
}
