import HTTPTransport
import SalesforceAPI
import Synchronization
import Testing

@Suite("guard of a write")
struct WriteGuardTests {
    /// Counts, and refuses from a given call on.
    final class Counter: WriteGuard {
        let calls = Mutex(0)
        let refusesFrom: Int

        init(refusesFrom: Int = .max) { self.refusesFrom = refusesFrom }

        func beforeSending() async throws(SalesforceError) {
            let call = calls.withLock { $0 += 1; return $0 }
            if call >= refusesFrom { throw SalesforceError(.nothingRan(retryAfter: nil), code: "refused_here", message: "", operation: "guard") }
        }

        var count: Int { calls.withLock { $0 } }
    }

    private let record = WriteRecord(objectType: "Account", fields: [WriteField("Name", "guarded")])

    @Test("runs once before a write and never before a read", .timeLimit(.minutes(1)))
    func once() async throws {
        try await LiveOrg.run { org in
            let client = org.client(), counter = Counter()
            try await WriteGuards.$current.withValue(counter) { _ = try await client.serverTimestamp() }
            #expect(counter.count == 0)
            let reply = try await WriteGuards.$current.withValue(counter) { try await client.create([record]) }
            #expect(reply.results.map(\.success) == [true])
            #expect(counter.count == 1)
        }
    }

    @Test("runs again before the replay with a renewed session", .timeLimit(.minutes(1)))
    func replay() async throws {
        try await LiveOrg.run { org in
            let client = org.client(), counter = Counter()
            _ = try await client.serverTimestamp()
            try await org.control(.delete, "sessions")
            try await WriteGuards.$current.withValue(counter) { _ = try await client.create([record]) }
            #expect(counter.count == 2)
        }
    }

    @Test("a guard that throws keeps the request from being sent", .timeLimit(.minutes(1)))
    func refusal() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            do {
                _ = try await WriteGuards.$current.withValue(Counter(refusesFrom: 1)) { try await client.create([record]) }
                Issue.record("the write was not refused")
            } catch let error as SalesforceError {
                #expect(error.code == "refused_here")
            }
            let sent = try await org.calls("soap", "create")
            #expect(sent == 0)
        }
    }
}
