import Testing

@testable import Relay

@Suite("schedule of loads")
struct LoadScheduleTests {
    let start = ContinuousClock.now

    @Test("runs the first wanted ones, no more than allowed")
    func limit() {
        var schedule = LoadSchedule(limit: 2)
        schedule.offer(["a", "b", "c"], asked: start)
        #expect(schedule.next() == "a")
        #expect(schedule.next() == "b")
        #expect(schedule.next() == nil)
        schedule.finished("a", at: start + .seconds(1))
        #expect(schedule.next() == "c")
    }

    @Test("a load that runs is not begun again")
    func once() {
        var schedule = LoadSchedule(limit: 2)
        schedule.offer(["a"], asked: start)
        #expect(schedule.next() == "a")
        schedule.offer(["a"], asked: start + .seconds(1))
        #expect(schedule.next() == nil)
    }

    @Test("a look from before its end does not begin it again, a later one does")
    func outdatedLook() {
        var schedule = LoadSchedule(limit: 1)
        schedule.offer(["a"], asked: start)
        #expect(schedule.next() == "a")
        schedule.finished("a", at: start + .seconds(2))
        schedule.offer(["a"], asked: start + .seconds(1))
        #expect(schedule.next() == nil)
        schedule.offer(["a"], asked: start + .seconds(3))
        #expect(schedule.next() == "a")
    }

    @Test("progress tells rate, rest and time left")
    func progress() {
        let look = LoadProgress.Look(phase: "LOADING_BULK_JOB", rows: 30_000, loaded: 20_000, expected: 50_000, elapsed: .seconds(10))
        #expect(look.rowsPerSecond == 2000 && look.remaining == 20_000 && look.secondsLeft == 10)
        let unknown = LoadProgress.Look(phase: "p", rows: 0, loaded: 0, expected: nil, elapsed: .zero)
        #expect(unknown.rowsPerSecond == 0 && unknown.remaining == nil && unknown.secondsLeft == nil)
    }
}
