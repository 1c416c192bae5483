internal import Logging
internal import PostgresClient
internal import SalesforceAPI
internal import Synchronization

/// Lets calls to Salesforce pass while the org's quota and the mappings' daily maxima have room for them. It decides in memory,
/// before each call, and keeps the count in the database, where the next leader finds it.
final class QuotaGovernor: CallGovernor {
    /// What the database answers to a note.
    fileprivate struct Answer: Decodable {
        struct Known: Decodable {
            var used: Int
            var maximum: Int
            var runOut: Int
            private enum CodingKeys: String, CodingKey {
                case used, maximum
                case runOut = "run_out"
            }
        }
        var day: String
        var reserve: Double
        var step: Double
        var priorities: [String: Int]
        var known: Known?
    }

    private struct Taken: Decodable {
        var day: String
        var granted: [String: Int]
        var refused: [String: String]
    }

    fileprivate enum Admission {
        case admitted(CallTicket)
        case notGranted([String])
        case noRoom(begins: Bool)
    }

    fileprivate struct State {
        var book = QuotaBook()
        var priorities: [String: Int] = [:]
        var day = ""
        /// Calls of each mapping that the database has counted already.
        var granted: [String: Int] = [:]
        /// What the database has not been told yet.
        var calls = 0
        var callsOf: [String: Int] = [:]
        var reportIsNew = false
        var isShort = false
    }

    private let state = Mutex(State())
    private let database: ProtocolSession
    private let log: EventLog
    /// Raised when there is room again.
    private let lanes: [Wakeups]
    private let notes = Wakeups()

    /// - Parameter database: the leader's session: a relay that has lost the lead is granted nothing.
    init(database: ProtocolSession, log: EventLog, lanes: [Wakeups]) {
        self.database = database
        self.log = log
        self.lanes = lanes
    }

    // Calls

    func admit(_ operation: String) async throws(SalesforceError) -> CallTicket {
        let purpose = CallPurpose.current
        var mappings = purpose?.mappings ?? []
        while true {
            switch state.withLock({ $0.admit(purpose?.kind, mappings) }) {
            case .admitted(let ticket): return ticket
            case .notGranted(let missing):
                let taken = try await take(missing, operation)
                // One that was removed meanwhile has no maximum any more.
                mappings.removeAll { missing.contains($0) && taken.granted[$0] == nil }
            case .noRoom(let begins):
                if begins { log.sync("CALLS WAIT FOR THE API QUOTA", level: .notice, ["operation": .string(operation)]) }
                notes.raise()
                throw SalesforceError(
                    .nothingRan(retryAfter: .seconds(2)), code: "api_quota", message: "the org's API quota is used up to the reserve",
                    operation: operation)
            }
        }
    }

    func ended(_ ticket: CallTicket, wasMade: Bool, usage: APIUsage?) {
        state.withLock { state in
            state.book.end(ticket.number, wasMade: wasMade, usage: usage)
            if wasMade, usage != nil { state.reportIsNew = true }
        }
    }

    private func take(_ mappings: [String], _ operation: String) async throws(SalesforceError) -> Taken {
        let taken: Taken
        do {
            guard let answer = try await database.ask(Taken.self, "hc_quota_take", .textArray(mappings)) else { throw PostgresError(code: .cancelled) }
            taken = answer
        } catch {
            throw SalesforceError(
                .nothingRan(retryAfter: .seconds(1)), code: "quota_not_counted", message: "the call could not be counted in the database",
                operation: operation)
        }
        state.withLock { state in
            state.begin(day: taken.day)
            for (mapping, count) in taken.granted { state.granted[mapping, default: 0] += count }
        }
        guard let object = taken.refused.values.min() else { return taken }
        notes.raise()
        throw SalesforceError(
            .nothingRan(retryAfter: .seconds(2)), code: "api_quota_of_mapping",
            message: "\(object) has made its calls of the day (sf_max_daily_api_calls)", operation: operation)
    }

    // Notes in the database

    /// Takes over what earlier relays counted.
    func begin() async throws { try await note(["begins": "true"]) }

    /// Notes what was counted, every few seconds and when calls begin to wait; looks whether there is room again.
    func keepNoting(every interval: Duration) async throws {
        while !isStopping {
            await notes.wait(upTo: interval)
            try await note()
        }
        // Only a stop ends it; the work, which still makes calls, decides when the leadership is over.
        try await Task.sleep(for: .seconds(86_400))
    }

    /// Gives back what was granted and not used.
    func end() async throws { try await note(["ends": "true"]) }

    private func note(_ more: [String: String] = [:]) async throws {
        let (document, told) = state.withLock { state in state.takeNote(more) }
        guard let document else { return }
        do {
            guard let answer = try await database.ask(Answer.self, "hc_quota_note", .json(document)) else { return }
            if state.withLock({ $0.learn(answer) }) { lanes.forEach { $0.raise() } }
        } catch {
            state.withLock { $0.restore(told) }
            guard let failure = error as? PostgresError, failure.isTransient, !failure.isConnectionLoss else { throw error }
        }
    }
}

extension QuotaGovernor.State {
    /// Counts a call, if there is room for it and the database has counted it for each of its mappings.
    fileprivate mutating func admit(_ kind: CallPurpose.Kind?, _ mappings: [String]) -> QuotaGovernor.Admission {
        let missing = mappings.filter { (granted[$0] ?? 0) < 1 }
        guard missing.isEmpty else { return .notGranted(missing) }
        let levels = mappings.map { max(0, (kind?.rawValue ?? 0) + (priorities[$0] ?? 0)) }
        guard book.hasRoom(level: levels.min() ?? 0) else {
            defer { isShort = true }
            return .noRoom(begins: !isShort)
        }
        for mapping in mappings {
            granted[mapping, default: 0] -= 1
            callsOf[mapping, default: 0] += 1
        }
        calls += 1
        return .admitted(CallTicket(number: book.begin()))
    }

    fileprivate mutating func begin(day: String) {
        guard day != self.day else { return }
        self.day = day
        granted = [:]
    }

    /// What the database is to be told; nil when there is nothing to tell and nothing to ask.
    fileprivate mutating func takeNote(_ more: [String: String]) -> (document: String?, told: (Int, [String: Int])) {
        let told = (calls, callsOf)
        guard calls > 0 || reportIsNew || isShort || !more.isEmpty else { return (nil, told) }
        var members = more.map { "\"\($0.key)\":\($0.value)" }
        members.append("\"calls\":\(calls)")
        if reportIsNew, let report = book.report { members.append("\"used\":\(report.used),\"maximum\":\(report.maximum)") }
        if book.report != nil { members.append("\"since\":\(book.unreported)") }
        members.append("\"mappings\":{" + callsOf.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}")
        calls = 0
        callsOf = [:]
        reportIsNew = false
        return ("{" + members.joined(separator: ",") + "}", told)
    }

    fileprivate mutating func restore(_ told: (calls: Int, callsOf: [String: Int])) {
        calls += told.calls
        callsOf.merge(told.callsOf, uniquingKeysWith: +)
        reportIsNew = book.report != nil
    }

    /// - Returns: whether calls that had to wait may go on.
    fileprivate mutating func learn(_ answer: QuotaGovernor.Answer) -> Bool {
        begin(day: answer.day)
        priorities = answer.priorities
        book.rules = QuotaBook.Rules(reserve: answer.reserve, step: answer.step)
        if let known = answer.known {
            if book.report == nil {
                book.begin(with: APIUsage(used: known.used, maximum: known.maximum))
            } else if !reportIsNew {
                book.noteRunOut(known.runOut)
            }
        }
        guard isShort, book.hasRoom(level: 0) else { return false }
        isShort = false
        return true
    }
}
