import SalesforceAPI
import Testing

@testable import Relay

@Suite("arithmetic of the quota")
struct QuotaBookTests {
    /// A book that has seen one report.
    private func book(_ used: Int, of maximum: Int) -> QuotaBook {
        var book = QuotaBook()
        let call = book.begin()
        book.end(call, wasMade: true, usage: APIUsage(used: used, maximum: maximum))
        return book
    }

    @Test("before the first report every call has room")
    func unknown() {
        var book = QuotaBook()
        for _ in 0..<1000 { _ = book.begin() }
        #expect(book.hasRoom(level: 3) && book.used == nil)
    }

    @Test("the last call that has room is the one that reaches the reserve; each level leaves a step", arguments: [
        (839, 3), (840, 2), (859, 2), (860, 1), (879, 1), (880, 0), (899, 0), (900, -1), (2000, -1),
    ])
    func levels(used: Int, highest: Int) {
        let book = book(used, of: 1000)
        for level in 0...3 { #expect(book.hasRoom(level: level) == (level <= highest), "level \(level)") }
    }

    @Test("a reserve that is no whole number of calls is rounded up")
    func rounding() {
        #expect(book(12, of: 15).hasRoom(level: 0))   // 1.5 of 15 are kept: 2
        #expect(!book(13, of: 15).hasRoom(level: 0))
    }

    @Test("calls under way count, and a call that was never made does not")
    func underWay() {
        var book = book(897, of: 1000)
        let first = book.begin(), second = book.begin()
        #expect(book.hasRoom(level: 0))
        let third = book.begin()
        #expect(!book.hasRoom(level: 0))
        book.end(second, wasMade: false, usage: nil)
        #expect(book.hasRoom(level: 0))
        book.end(first, wasMade: true, usage: nil)   // its answer was lost: Salesforce counted it
        #expect(book.used == 899)
        book.end(third, wasMade: true, usage: APIUsage(used: 900, maximum: 1000))
        #expect(book.used == 901)   // the first overlapped the third, whose report may not contain it
        let fourth = book.begin()
        book.end(fourth, wasMade: true, usage: APIUsage(used: 901, maximum: 1000))
        #expect(book.used == 901)
    }

    @Test("an answer that was overtaken does not turn the count back; a later one may, when calls have run out of the window")
    func order() {
        var book = book(10, of: 1000)
        let slow = book.begin(), fast = book.begin()
        book.end(fast, wasMade: true, usage: APIUsage(used: 12, maximum: 1000))
        book.end(slow, wasMade: true, usage: APIUsage(used: 11, maximum: 1000))
        #expect((book.used ?? 0) >= 12)
        let next = book.begin()
        book.end(next, wasMade: true, usage: APIUsage(used: 3, maximum: 1000))
        #expect(book.used == 3)
    }

    @Test("what has run out of the window since the report is free until the next report")
    func runOut() {
        var book = book(900, of: 1000)
        book.noteRunOut(30)
        #expect(book.used == 870 && book.hasRoom(level: 1) && !book.hasRoom(level: 2))
        let call = book.begin()
        book.end(call, wasMade: true, usage: APIUsage(used: 899, maximum: 1000))
        #expect(book.used == 899 && book.runOut == 0)
    }

    /// The org counts a call at any moment between its begin and its end, and its answers arrive in any order. The only user of
    /// the org, the relay never makes it count past the reserve, and wastes no more than what overlapped.
    @Test("random calls under way never pass the reserve", arguments: 0..<200)
    func random(seed: Int) {
        struct Call { var number: Int; var counted = false; var usage: APIUsage? }
        var random = Seeded(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        let maximum = Int.random(in: 20...400, using: &random)
        let start = Int.random(in: 0...maximum * 8 / 10, using: &random)
        let lanes = Int.random(in: 1...25, using: &random)
        let allowed = maximum - (maximum + 9) / 10
        var used = start
        var book = book(used, of: maximum)
        var calls: [Call] = []
        for _ in 0..<maximum * 20 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where calls.count < lanes && book.hasRoom(level: 0):
                calls.append(Call(number: book.begin()))
            case 1:
                guard let index = calls.indices.filter({ !calls[$0].counted }).randomElement(using: &random) else { continue }
                used += 1
                calls[index].counted = true
                calls[index].usage = Int.random(in: 0..<10, using: &random) == 0 ? nil : APIUsage(used: used, maximum: maximum)
            default:
                guard let index = calls.indices.filter({ calls[$0].counted }).randomElement(using: &random) else { continue }
                let call = calls.remove(at: index)
                book.end(call.number, wasMade: true, usage: call.usage)
            }
            let total = used + calls.count(where: { !$0.counted })
            #expect(total <= max(allowed, start))
            guard total <= max(allowed, start) else { return }
        }
        #expect(used + calls.count(where: { !$0.counted }) >= allowed - 2 * lanes - 1)
    }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}
