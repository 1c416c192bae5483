internal import SalesforceAPI

/// What runs in the lanes, and what may begin beside it. Plain bookkeeping; ``WriteLane`` acts on it.
struct LaneOccupancy: Sendable {
    /// Calls that may be under way at the same time (setting `write_lanes`).
    var lanes: Int
    /// Claimed and not begun, in the order in which they were handed out.
    private(set) var waiting: [CallRequest] = []
    private(set) var underWay = 0
    /// Bulk jobs. They take minutes, and the cycle does not wait for them.
    private(set) var jobs = 0
    /// Batches whose stored answer is being applied.
    private(set) var applying = 0
    private(set) var isClaiming = false
    /// The database is being told that the cycle began.
    var isMarkingBusy = false
    /// False from a claim on until something has changed that the next one depends on.
    private(set) var isWorthClaiming = true
    private var emptyAt: ContinuousClock.Instant?

    /// Nothing was to be had: asked again after so long while calls are under way, since writers announce nothing meanwhile.
    static let pauseOfEmpty = Duration.seconds(1)
    /// Calls of one claim at the most, so that the first of many need not wait for the last to be put together.
    static let callsOfClaim = 8

    init(lanes: Int) { self.lanes = lanes }

    /// Nothing is under way but Bulk jobs.
    var isQuiet: Bool { underWay == 0 && applying == 0 && !isClaiming && !isMarkingBusy }

    /// Somebody says that there may be changes.
    mutating func woken() { isWorthClaiming = true }

    /// How many calls to claim now; 0 for none.
    ///
    /// With several lanes as many are claimed ahead as there are lanes, so that none stands still while the database looks for
    /// the next. With one, the next is claimed when the one before it is applied.
    func claimable(isProbing: Bool, at instant: ContinuousClock.Instant) -> Int {
        let isDue = !isQuiet && emptyAt.map { instant - $0 >= Self.pauseOfEmpty } ?? false
        guard !isClaiming, isWorthClaiming || isDue else { return 0 }
        if lanes <= 1 || isProbing { return waiting.isEmpty && underWay == 0 && applying == 0 ? 1 : 0 }
        // Answers that pile up are applied first.
        guard applying <= 4 * lanes else { return 0 }
        return min(Self.callsOfClaim, max(0, 2 * lanes - underWay - waiting.count))
    }

    mutating func claimBegins() {
        isClaiming = true
        isWorthClaiming = false
    }

    mutating func claimed(_ calls: [CallRequest], at instant: ContinuousClock.Instant) {
        isClaiming = false
        waiting += calls
        if !calls.isEmpty { isWorthClaiming = true }
        emptyAt = calls.isEmpty ? instant : nil
    }

    /// The next call that may begin now.
    mutating func next(isProbing: Bool) -> CallRequest? {
        guard let first = waiting.first, first.api != .single || underWay < (isProbing ? 1 : max(1, lanes)) else { return nil }
        if first.api == .single { underWay += 1 } else { jobs += 1 }
        return waiting.removeFirst()
    }

    mutating func ended(_ call: CallRequest) {
        if call.api == .single { underWay -= 1 } else { jobs -= 1 }
        isWorthClaiming = true
    }

    mutating func applyBegins() { applying += 1 }

    mutating func applied() {
        applying -= 1
        isWorthClaiming = true
    }
}
