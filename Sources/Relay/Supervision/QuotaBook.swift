internal import SalesforceAPI

/// What is known of the org's use, and what may be used: the arithmetic of the governor, without a clock and without waiting.
///
/// A report contains every call that had ended before its own call began. Calls that overlapped it may be in it or not; they are
/// counted once more, until a later report, because calls must never go past the reserve.
struct QuotaBook: Sendable {
    /// Percentages of the allowance, as the connection's settings say.
    struct Rules: Sendable, Equatable {
        /// Kept back for others.
        var reserve = 10.0
        /// What each level leaves to the one before it.
        var step = 2.0
    }

    var rules = Rules()
    private(set) var report: APIUsage?
    /// The number of the call that brought the report; 0 for one of an earlier relay.
    private var reporter = 0
    private var calls = 0
    private var underWay: Set<Int> = []
    /// Calls that are over and may not be in the report, each with the number that the next call had when it ended. The one that
    /// brought the report is among them, for a report that replaces it may have been made before.
    private var overlapping: [(call: Int, ended: Int)] = []
    /// Calls of the report that have run out of the 24 hours since.
    private(set) var runOut = 0

    /// Calls of which the report may not know.
    var unreported: Int { overlapping.count(where: { $0.call != reporter }) + underWay.count }

    /// The most that can be in use now; nil before the first report.
    var used: Int? { report.map { max(0, $0.used - runOut) + unreported } }

    /// Whether one more call of `level` stays within what it may use.
    func hasRoom(level: Int) -> Bool {
        guard let report, let used else { return true }
        let whole = Double(report.maximum)
        let kept = (whole * rules.reserve / 100).rounded(.up) + Double(level) * (whole * rules.step / 100).rounded(.up)
        return Double(used + 1) <= whole - kept
    }

    /// Counts a call that is about to be made.
    mutating func begin() -> Int {
        calls += 1
        underWay.insert(calls)
        return calls
    }

    /// Notes what became of it.
    mutating func end(_ call: Int, wasMade: Bool, usage: APIUsage?) {
        guard underWay.remove(call) != nil, wasMade else { return }
        // Answers overtake each other: an older one with a smaller number says nothing new.
        if let usage, call > reporter || usage.used > (report?.used ?? 0) {
            report = usage
            runOut = 0
            overlapping.removeAll { $0.ended <= call }
            reporter = call
        }
        overlapping.append((call, calls + 1))
    }

    /// Takes over what an earlier relay left.
    mutating func begin(with known: APIUsage) {
        if report == nil { report = known }
    }

    /// Notes that calls of the report have run out of the window.
    mutating func noteRunOut(_ count: Int) { runOut = count }
}
