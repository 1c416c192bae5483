internal import PostgresClient

/// Takes what several calls want of the database at the same time there in one round trip each: all that wait to be marked as
/// sent, then all answers that wait to be stored, and so on. One loop asks; a call waits for its own part only.
///
/// How much can wait is bounded by the lanes, each of which has one thing to wait for.
actor DatabaseCombiner {
    private let statements: any CallStatements
    private let signal: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    private var marks = Waiting<Int, Void>()
    private var answers = Waiting<[BatchAnswer], Void>()
    private var applies = Waiting<Int, AppliedBatch>()
    private var claims = Waiting<Int, String?>()
    private var busy = Waiting<Bool, Void>()
    /// Of what takes long, the other kind is next.
    private var hasJustApplied = false
    private var end: PostgresError?

    /// Batches whose answers are applied in one transaction: more would make the others wait long.
    static let appliesAtOnce = 8

    init(_ statements: any CallStatements) {
        self.statements = statements
        (signal, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: What calls ask for

    /// Marks all batches of the call as sent (`hc_sent_calls`).
    func mark(_ call: Int) async throws {
        try await wait { $0.marks.append(call, $1) }
    }

    /// Stores what became of the batches of one call (`hc_answer_batches`).
    func store(_ call: [BatchAnswer]) async throws {
        try await wait { $0.answers.append(call, $1) }
    }

    /// Applies the stored answer of a batch (`hc_apply_batches`).
    func apply(_ batch: Int) async throws -> AppliedBatch {
        try await wait { $0.applies.append(batch, $1) }
    }

    /// Up to `calls` calls that may run now beside those under way (`hc_claim_calls`), as JSON for ``CallRequest/read(_:)``.
    func claim(_ calls: Int) async throws -> String? {
        try await wait { $0.claims.append(calls, $1) }
    }

    /// Tells writers to announce nothing, or to announce again. Not an act of the epoch: a wrong mark costs only latency.
    func markBusy(_ isBusy: Bool) async throws {
        try await wait { $0.busy.append(isBusy, $1) }
    }

    private func wait<Answer: Sendable>(
        _ enqueue: (isolated DatabaseCombiner, CheckedContinuation<Answer, any Error>) -> Void
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            if let end { return continuation.resume(throwing: end) }
            enqueue(self, continuation)
            waker.yield()
        }
    }

    // MARK: The loop

    /// Serves until ``finish()`` or the task's cancellation. Whoever waits then is told so.
    func serve() async {
        for await _ in signal {
            while end == nil, !Task.isCancelled, await step() {}
            if end != nil { break }
        }
        close(PostgresError(code: .cancelled))
    }

    /// Ends ``serve()`` when nothing is under way any more.
    func finish() {
        close(PostgresError(code: .cancelled))
        waker.yield()
    }

    private func close(_ why: PostgresError) {
        if end == nil { end = why }
        let why = end ?? why
        marks.fail(why)
        answers.fail(why)
        applies.fail(why)
        claims.fail(why)
        busy.fail(why)
    }

    /// One round trip; false when nothing waits. First what a request waits for, then what frees a lane, then what takes long.
    private func step() async -> Bool {
        let statements = statements
        if let waiting = marks.take() {
            await perform(waiting) {
                try await statements.sent($0)
                return .all(())
            }
        } else if let waiting = answers.take() {
            await perform(waiting) {
                try await statements.answer($0.flatMap { $0 })
                return .all(())
            }
        } else if let waiting = busy.take(1) {
            await perform(waiting) {
                for isBusy in $0 { try await statements.busy(isBusy) }
                return .all(())
            }
        } else if hasJustApplied || applies.isEmpty, let waiting = claims.take(1) {
            hasJustApplied = false
            await perform(waiting) { .all(try await statements.claim($0.reduce(0, +))) }
        } else if let waiting = applies.take(Self.appliesAtOnce) {
            hasJustApplied = true
            await perform(waiting) { batches in
                let applied = try await statements.apply(batches)
                return .each(batches.map { batch in applied.first { $0.batch == batch } ?? AppliedBatch(batch: batch, applied: 0, waiting: 0) })
            }
        } else {
            return false
        }
        return true
    }

    private enum Answers<Answer: Sendable> {
        case all(Answer)
        case each([Answer])
    }

    /// Runs one statement for all of them. One that the database refuses must not fail the others: then each goes alone.
    private func perform<Item, Answer>(
        _ tickets: [Waiting<Item, Answer>.Ticket], _ statement: ([Item]) async throws -> Answers<Answer>
    ) async {
        do {
            switch try await statement(tickets.map(\.item)) {
            case .all(let answer): tickets.forEach { $0.continuation.resume(returning: answer) }
            case .each(let answers): zip(tickets, answers).forEach { $0.continuation.resume(returning: $1) }
            }
        } catch let error as PostgresError where error.code == .server && !error.isConnectionLoss && tickets.count > 1 {
            for ticket in tickets { await perform([ticket], statement) }
        } catch {
            tickets.forEach { $0.continuation.resume(throwing: error) }
        }
    }
}

/// The statements of the protocol that serve several calls at a time; each is one round trip and one transaction.
protocol CallStatements: Sendable {
    func sent(_ calls: [Int]) async throws
    func answer(_ batches: [BatchAnswer]) async throws
    func apply(_ batches: [Int]) async throws -> [AppliedBatch]
    func claim(_ calls: Int) async throws -> String?
    func busy(_ isBusy: Bool) async throws
}

extension ProtocolSession: CallStatements {
    func sent(_ calls: [Int]) async throws { try await call("hc_sent_calls", .intArray(calls)) }

    func answer(_ batches: [BatchAnswer]) async throws {
        try await call("hc_answer_batches", .json("[\(batches.map(\.json).joined(separator: ","))]"))
    }

    func apply(_ batches: [Int]) async throws -> [AppliedBatch] {
        try await ask([AppliedBatch].self, "hc_apply_batches", .intArray(batches)) ?? []
    }

    func claim(_ calls: Int) async throws -> String? { try await call("hc_claim_calls", .int(calls)) }

    func busy(_ isBusy: Bool) async throws { try await session.call("hc_busy", [.text(connection.id), .bool(isBusy)]) }
}

/// What `hc_apply_batches` says of one batch.
struct AppliedBatch: Decodable, Sendable, Equatable {
    var batch: Int
    /// Rows that were written back now.
    var applied: Int
    /// Rows that wait for somebody's lock or for a person.
    var waiting: Int
}

/// Those who wait for one kind of statement, in the order in which they came.
private struct Waiting<Item: Sendable, Answer: Sendable> {
    typealias Ticket = (item: Item, continuation: CheckedContinuation<Answer, any Error>)

    private var tickets: [Ticket] = []

    var isEmpty: Bool { tickets.isEmpty }

    mutating func append(_ item: Item, _ continuation: CheckedContinuation<Answer, any Error>) {
        tickets.append((item, continuation))
    }

    /// Up to so many; nil when nobody waits.
    mutating func take(_ maximum: Int = .max) -> [Ticket]? {
        guard !tickets.isEmpty else { return nil }
        defer { tickets.removeFirst(min(maximum, tickets.count)) }
        return Array(tickets.prefix(maximum))
    }

    mutating func fail(_ why: PostgresError) {
        let failed = tickets
        tickets = []
        failed.forEach { $0.continuation.resume(throwing: why) }
    }
}
