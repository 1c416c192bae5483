import Foundation
import Testing

@testable import Relay

@Suite("conversation with the database")
struct ConversationTests {
    @Test("versions compare by number", arguments: [
        ("1.0", "1.0", true), ("1.10", "1.9", true), ("1.9", "1.10", false), ("0.9", "1.0", false), ("2", "1.5", true),
        ("1.0", "1.0.1", false), ("portable", "1.0", false), ("", "1.0", false),
    ])
    func versions(have: String, need: String, isEnough: Bool) {
        #expect(RelaySession.isAtLeast(have, need) == isEnough)
    }

    @Test("a call is one statement in schema public")
    func statement() {
        #expect(RelaySession.statement("hc_sent", 3) == "SELECT public.hc_sent($1, $2, $3)")
        #expect(RelaySession.statement("hc_x", 0) == "SELECT public.hc_x()")
    }

    @Test("work is read as the database writes it")
    func work() throws {
        let json = """
            {"state":"IDLE","paused":false,"loads":[{"mapping":"a"}],"polls":[{"mapping":"b","deletes":true}],"read_back":true,
             "staged":["c"],"apply":[4],"doubts":[{"batch":5,"way":"lookup"}],"repeats":false,"housekeeping":true,"wait_ms":9000}
            """
        let work = try JSONDecoder().decode(Work.self, from: Data(json.utf8))
        #expect(work.loads.map(\.mapping) == ["a"] && work.polls.map(\.mapping) == ["b"] && work.staged == ["c"])
        #expect(work.apply == [4] && work.doubts.map(\.batch) == [5] && work.readBack && work.housekeeping && !work.paused)
        #expect(work.pause(probe: .seconds(10)) == .seconds(9))
        #expect(work.pause(probe: .seconds(5)) == .seconds(5))
    }

    @Test("a lane that is told to come back at once does not spin")
    func noSpin() throws {
        let work = try JSONDecoder().decode(Work.self, from: Data(#"{"wait_ms":0}"#.utf8))
        #expect(work.pause(probe: .seconds(10)) == .milliseconds(20))
    }

    @Test("a shape that is not known says what to do")
    func unknownShape() {
        let error = #expect(throws: RelayError.self) { try RelaySession.decode("[1]", as: Work.self, from: "hc_work") }
        #expect(error?.description.contains("public.hc_work") ?? false)
    }
}
