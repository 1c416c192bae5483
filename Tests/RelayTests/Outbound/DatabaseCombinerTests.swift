import PostgresClient
import SalesforceAPI
import Synchronization
import Testing

@testable import Relay

/// Stands for the database: keeps what it was asked, and answers when it is let.
private final class Recorder: CallStatements {
    enum Call: Equatable { case sent([Int]), answer([Int]), apply([Int]), claim(Int), busy(Bool) }

    private let state = Mutex<(calls: [Call], refused: Set<Int>)>(([], []))
    private let gate = AsyncStream.makeStream(of: Void.self)
    let isHeld: Bool

    init(isHeld: Bool = false, refusing: Set<Int> = []) {
        self.isHeld = isHeld
        state.withLock { $0.refused = refusing }
    }

    var calls: [Call] { state.withLock { $0.calls } }

    /// Lets one statement end.
    func letOne() { gate.continuation.yield() }

    private func record(_ call: Call, _ items: [Int] = []) async throws {
        let refuses = state.withLock { state in
            state.calls.append(call)
            return !state.refused.isDisjoint(with: items)
        }
        if isHeld {
            var iterator = gate.stream.makeAsyncIterator()
            _ = await iterator.next()
            try Task.checkCancellation()
        }
        if refuses { throw PostgresError(code: .server, sqlState: "HC003", serverMessage: "not open") }
    }

    func sent(_ calls: [Int]) async throws { try await record(.sent(calls), calls) }
    func answer(_ batches: [BatchAnswer]) async throws { try await record(.answer(batches.map(\.batch)), batches.map(\.batch)) }
    func apply(_ batches: [Int]) async throws -> [AppliedBatch] {
        try await record(.apply(batches), batches)
        return batches.reversed().map { AppliedBatch(batch: $0, applied: $0 * 10, waiting: 0) }
    }
    func claim(_ calls: Int) async throws -> String? {
        try await record(.claim(calls))
        return "[]"
    }
    func busy(_ isBusy: Bool) async throws { try await record(.busy(isBusy)) }
}

private func until(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(1)) }
}

@Suite("combined round trips", .timeLimit(.minutes(1)))
struct DatabaseCombinerTests {
    private func serving<R>(_ recorder: Recorder, _ body: (DatabaseCombiner) async throws -> R) async throws -> R {
        let combiner = DatabaseCombiner(recorder)
        return try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await combiner.serve() }
            let result = try await body(combiner)
            await combiner.finish()
            return result
        }
    }

    @Test("what waits while a statement runs goes in one, marks before answers before write-backs")
    func combines() async throws {
        let recorder = Recorder(isHeld: true)
        try await serving(recorder) { combiner in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await combiner.mark(1) }
                try await until { recorder.calls == [.sent([1])] }
                // While that is on its way, everything else comes.
                for batch in [50, 51] { group.addTask { _ = try await combiner.apply(batch) } }
                for batch in [7, 8, 9] { group.addTask { try await combiner.store([BatchAnswer(batch: batch, outcome: .inDoubt(code: "c", message: "m", kind: .outage))]) } }
                for call in [2, 3, 4] { group.addTask { try await combiner.mark(call) } }
                try await Task.sleep(for: .milliseconds(100))
                for _ in 0..<4 { recorder.letOne() }
                try await group.waitForAll()
            }
        }
        let calls = recorder.calls
        #expect(calls.count == 4)
        guard calls.count == 4, case .sent(let marks) = calls[1], case .answer(let answers) = calls[2], case .apply(let applies) = calls[3]
        else { return #expect(Bool(false), "\(calls)") }
        #expect(marks.sorted() == [2, 3, 4] && answers.sorted() == [7, 8, 9] && applies.sorted() == [50, 51])
    }

    @Test("each gets the answer of its own batch, whatever their order")
    func answers() async throws {
        let recorder = Recorder()
        let found = try await serving(recorder) { combiner in
            try await withThrowingTaskGroup(of: AppliedBatch.self) { group in
                for batch in 1...20 { group.addTask { try await combiner.apply(batch) } }
                return try await group.reduce(into: [:]) { $0[$1.batch] = $1.applied }
            }
        }
        #expect(found == Dictionary(uniqueKeysWithValues: (1...20).map { ($0, $0 * 10) }))
        for case .apply(let batches) in recorder.calls { #expect(batches.count <= DatabaseCombiner.appliesAtOnce) }
    }

    @Test("one that the database refuses fails alone")
    func refusal() async throws {
        let recorder = Recorder(isHeld: true, refusing: [3])
        let refused = try await serving(recorder) { combiner in
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for call in 1...4 {
                    group.addTask {
                        do {
                            try await combiner.mark(call)
                            return nil
                        } catch let error as PostgresError where error.isWrongState { return call }
                    }
                }
                try await until { !recorder.calls.isEmpty }
                try await Task.sleep(for: .milliseconds(50))
                for _ in 0..<10 { recorder.letOne() }
                return try await group.reduce(into: [Int]()) { if let call = $1 { $0.append(call) } }
            }
        }
        #expect(refused == [3])
    }

    @Test("a claim is not kept waiting by write-backs")
    func claims() async throws {
        let recorder = Recorder(isHeld: true)
        try await serving(recorder) { combiner in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for batch in 0..<(3 * DatabaseCombiner.appliesAtOnce) { group.addTask { _ = try await combiner.apply(batch) } }
                try await until { !recorder.calls.isEmpty }
                group.addTask { _ = try await combiner.claim(5) }
                try await Task.sleep(for: .milliseconds(100))
                for _ in 0..<10 { recorder.letOne() }
                try await group.waitForAll()
            }
        }
        #expect((recorder.calls.firstIndex(of: .claim(5)) ?? .max) <= 2)
    }

    @Test("cancellation tells everybody who waits, and whoever comes later")
    func cancelled() async throws {
        let recorder = Recorder(isHeld: true)
        let combiner = DatabaseCombiner(recorder)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await combiner.serve() }
            group.addTask { await #expect(throws: (any Error).self) { try await combiner.mark(1) } }
            try? await until { !recorder.calls.isEmpty }
            group.addTask { await #expect(throws: PostgresError.self) { try await combiner.mark(2) } }
            try? await Task.sleep(for: .milliseconds(50))
            group.cancelAll()
        }
        await #expect(throws: PostgresError.self) { try await combiner.mark(3) }
    }
}
