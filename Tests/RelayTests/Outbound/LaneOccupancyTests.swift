import Testing

@testable import Relay

@Suite("occupancy of the lanes")
struct LaneOccupancyTests {
    let start = ContinuousClock.now

    private func calls(_ count: Int, api: CallRequest.API = .single, from first: Int = 1) -> [CallRequest] {
        (first..<(first + count)).map { CallRequest(call: $0, api: api, operation: .update, batches: []) }
    }

    @Test("as many begin as there are lanes, and as many are claimed ahead")
    func several() {
        var lanes = LaneOccupancy(lanes: 3)
        #expect(lanes.claimable(isProbing: false, at: start) == 6)
        lanes.claimBegins()
        #expect(lanes.claimable(isProbing: false, at: start) == 0, "one claim at a time")
        lanes.claimed(calls(5), at: start)
        #expect((0..<5).map { _ in lanes.next(isProbing: false)?.call } == [1, 2, 3, nil, nil])
        #expect(lanes.underWay == 3 && lanes.waiting.map(\.call) == [4, 5])
        #expect(lanes.claimable(isProbing: false, at: start) == 1)
        lanes.ended(calls(1)[0])
        #expect(lanes.next(isProbing: false)?.call == 4)
    }

    @Test("many lanes are filled a few calls at a time, so that the first need not wait for the last")
    func many() {
        var lanes = LaneOccupancy(lanes: 25)
        #expect(lanes.claimable(isProbing: false, at: start) == LaneOccupancy.callsOfClaim)
        lanes.claimBegins()
        lanes.claimed(calls(45), at: start)
        #expect(lanes.claimable(isProbing: false, at: start) == 5)
    }

    @Test("one lane claims the next when the one before it is applied")
    func one() {
        var lanes = LaneOccupancy(lanes: 1)
        #expect(lanes.claimable(isProbing: false, at: start) == 1)
        lanes.claimBegins()
        lanes.claimed(calls(1), at: start)
        let call = lanes.next(isProbing: false)
        #expect(call != nil && lanes.claimable(isProbing: false, at: start) == 0)
        lanes.ended(calls(1)[0])
        lanes.applyBegins()
        #expect(lanes.claimable(isProbing: false, at: start) == 0)
        lanes.applied()
        #expect(lanes.claimable(isProbing: false, at: start) == 1)
    }

    @Test("against an obstacle goes one call, not all of those that wait")
    func probing() {
        var lanes = LaneOccupancy(lanes: 8)
        lanes.claimBegins()
        lanes.claimed(calls(8), at: start)
        #expect(lanes.next(isProbing: true)?.call == 1)
        #expect(lanes.next(isProbing: true) == nil)
        #expect(lanes.claimable(isProbing: true, at: start) == 0)
        #expect(lanes.next(isProbing: false)?.call == 2)
    }

    @Test("after an empty claim the next follows a change, or a second while calls are under way")
    func empty() {
        var lanes = LaneOccupancy(lanes: 4)
        lanes.claimBegins()
        lanes.claimed(calls(1), at: start)
        _ = lanes.next(isProbing: false)
        lanes.claimBegins()
        lanes.claimed([], at: start)
        #expect(lanes.claimable(isProbing: false, at: start) == 0)
        #expect(lanes.claimable(isProbing: false, at: start + LaneOccupancy.pauseOfEmpty) == 7)
        // What ends while the database looks counts, though the answer is empty.
        lanes.claimBegins()
        lanes.ended(calls(1)[0])
        lanes.claimed([], at: start)
        #expect(lanes.isQuiet && lanes.claimable(isProbing: false, at: start) == 8)
        lanes.claimBegins()
        lanes.claimed([], at: start)
        #expect(lanes.isQuiet && lanes.claimable(isProbing: false, at: start + .seconds(60)) == 0, "then the cycle is over")
    }

    @Test("a Bulk job takes no lane and does not keep the cycle open")
    func job() {
        var lanes = LaneOccupancy(lanes: 1)
        lanes.claimBegins()
        lanes.claimed(calls(1, api: .bulk2) + calls(2, from: 2), at: start)
        #expect((0..<3).map { _ in lanes.next(isProbing: false)?.call } == [1, 2, nil])
        lanes.ended(calls(1, from: 2)[0])
        #expect(lanes.jobs == 1 && lanes.isQuiet)
        lanes.ended(calls(1, api: .bulk2)[0])
        #expect(lanes.jobs == 0)
    }
}
