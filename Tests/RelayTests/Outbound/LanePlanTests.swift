import Testing

@testable import Relay

@Suite("plan of the write lane")
struct LanePlanTests {
    let start = ContinuousClock.now

    @Test("a failed part closes, the others stay open")
    func closes() {
        var plan = LanePlan()
        plan.failed(.sending, at: start)
        #expect(!plan.isOpen(.sending, at: start))
        #expect(plan.isOpen(.readingBack, at: start))
        #expect(plan.isOpen(.sending, at: start + .milliseconds(500)))
    }

    @Test("each failure doubles the wait, up to half a minute", arguments: [
        (1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000), (50, 30_000),
    ])
    func doubles(failures: Int, milliseconds: Int) {
        var plan = LanePlan()
        for _ in 0..<failures { plan.failed(.doubts, at: start) }
        #expect(!plan.isOpen(.doubts, at: start + .milliseconds(milliseconds - 1)))
        #expect(plan.isOpen(.doubts, at: start + .milliseconds(milliseconds)))
    }

    @Test("success forgets the failures")
    func forgets() {
        var plan = LanePlan()
        for _ in 0..<5 { plan.failed(.sending, at: start) }
        plan.succeeded(.sending)
        #expect(plan.isOpen(.sending, at: start))
        plan.failed(.sending, at: start)
        #expect(plan.isOpen(.sending, at: start + LanePlan.firstWait))
    }

    @Test("Salesforce's wait counts, but no longer than a minute")
    func atLeast() {
        var plan = LanePlan()
        plan.failed(.sending, atLeast: .seconds(900), at: start)
        #expect(!plan.isOpen(.sending, at: start + .seconds(59)))
        #expect(plan.isOpen(.sending, at: start + .seconds(60)))
    }

    @Test("the lane sleeps no longer than until a part opens")
    func pause() {
        var plan = LanePlan()
        #expect(plan.pause(.seconds(10), at: start) == .seconds(10))
        plan.failed(.sending, atLeast: .seconds(3), at: start)
        #expect(plan.pause(.seconds(10), at: start) == .seconds(3))
        #expect(plan.pause(.seconds(1), at: start) == .seconds(1))
    }

    @Test("calls that met one obstacle together are one failure, and its longest wait counts")
    func together() {
        var plan = LanePlan()
        for call in 0..<8 { plan.failed(.sending, atLeast: .seconds(call == 3 ? 5 : 0), begun: start, at: start + .milliseconds(call + 1)) }
        #expect(plan.isProbing(.sending) && !plan.isOpen(.sending, at: start + .seconds(5)))
        #expect(plan.isOpen(.sending, at: start + .seconds(5) + .milliseconds(4)))
        // The probe fails as well: that is the second failure.
        plan.failed(.sending, begun: start + .seconds(6), at: start + .seconds(6))
        #expect(!plan.isOpen(.sending, at: start + .milliseconds(6999)) && plan.isOpen(.sending, at: start + .seconds(7)))
    }

    @Test("what had begun before the failure and succeeds opens nothing")
    func earlierSuccess() {
        var plan = LanePlan()
        plan.failed(.sending, begun: start, at: start + .seconds(1))
        plan.succeeded(.sending, begun: start)
        #expect(!plan.isOpen(.sending, at: start + .seconds(1)) && plan.isProbing(.sending))
        plan.succeeded(.sending, begun: start + .seconds(2))
        #expect(plan.isOpen(.sending, at: start + .seconds(1)) && !plan.isProbing(.sending))
    }
}
