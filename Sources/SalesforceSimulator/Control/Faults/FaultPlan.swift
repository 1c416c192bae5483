/// Faults drawn by chance before the first call: the same seed and the same calls meet the same faults.
struct FaultPlan: Sendable {
    struct Slot: Sendable {
        /// The call it waits for, counted from 1.
        var call: Int
        var choice: Int
        /// The call that came: its operation, and whether the fault's own `match` let it be met.
        var operation: String?
        var isUsed = false
    }

    private let seed: UInt64
    private let rate: Double
    private let calls: Int
    private let choices: [(weight: Int, fault: Fault)]
    private let match: Fault
    private(set) var slots: [Slot] = []
    private var next = 0
    private(set) var seen = 0

    /// - Throws: When there are no faults, weights are not positive, or there are more than 100,000 calls.
    init(_ body: JSON) throws {
        seed = UInt64(max(0, body["seed"]?.int ?? 0))
        calls = body["calls"]?.int ?? 1_000
        rate = body["rate"]?.string.flatMap { Double($0) } ?? 0.1
        choices = try (body["faults"]?.elements ?? []).map { ($0["weight"]?.int ?? 1, try Fault($0)) }
        match = try Fault(["kind": "delay", "match": body["match"] ?? [:]])
        guard !choices.isEmpty, choices.allSatisfy({ $0.weight > 0 }), (1...100_000).contains(calls), (0...1).contains(rate) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "a plan has faults with weights above 0, a rate of 0 to 1, and 1 to 100000 calls")
        }
        var generator = SeededGenerator(seed: seed)
        let sum = choices.reduce(0) { $0 + $1.weight }
        for call in 1...calls where generator.unit() < rate {
            var point = Int(generator.next() % UInt64(sum))
            let choice = choices.firstIndex { entry in
                point -= entry.weight
                return point < 0
            }
            slots.append(Slot(call: call, choice: choice ?? 0))
        }
    }

    /// The fault for this call; counts it when it matches the plan.
    mutating func draw(_ request: SimRequest, _ call: CallDescription) -> Fault? {
        guard match.meets(request, call), seen < calls else { return nil }
        seen += 1
        guard next < slots.count, slots[next].call == seen else { return nil }
        defer { next += 1 }
        let fault = choices[slots[next].choice].fault
        slots[next].operation = call.family.rawValue + "." + call.operation
        slots[next].isUsed = fault.meets(request, call)
        return slots[next].isUsed ? fault : nil
    }

    var json: JSON {
        [
            "seed": .int(seed), "rate": .number("\(rate)"), "calls": .int(calls), "seen": .int(seen),
            "schedule": .array(slots.map { slot in
                ["call": .int(slot.call), "kind": .string(choices[slot.choice].fault.kind.rawValue), "choice": .int(slot.choice),
                 "operation": .text(slot.operation), "used": .bool(slot.isUsed)]
            }),
        ]
    }
}
