import SalesforceAPI
import Testing

@testable import Relay

@Suite("claimed call")
struct CallRequestTests {
    private let json = """
        [{"call":4,"api":"single","operation":"upsert","external_id_field":"X__c","batches":[
           {"batch":4,"mapping":"m","operation":"upsert","object":"Account","external_id_field":"X__c","attempt":1,
            "records":[{"log_id":1,"id":null,"fields":{"X__c":"1"}},{"log_id":2,"id":null,"fields":{"X__c":"2"}}]},
           {"batch":5,"mapping":"n","operation":"upsert","object":"Contact","external_id_field":"X__c","attempt":1,
            "records":[{"log_id":3,"id":null,"fields":{"X__c":"3"}}]}]}]
        """

    @Test("is read as the database writes it; null is none")
    func read() throws {
        let calls = try CallRequest.read(json)
        #expect(calls.count == 1 && calls[0].call == 4 && calls[0].api == .single && calls[0].externalIDField == "X__c")
        #expect(calls[0].batches.map(\.object) == ["Account", "Contact"] && calls[0].recordCount == 3)
        #expect(try CallRequest.read(nil) == [] && CallRequest.read("[]") == [])
    }

    @Test("a reply is split batch by batch, in order")
    func split() throws {
        let call = try CallRequest.read(json)[0]
        let reply = WriteReply(
            results: (1...3).map { WriteResult(id: "00100000000000\($0)", success: $0 != 2, created: true, errors: []) },
            requestID: "rq", duration: .milliseconds(5))
        let answers = call.split(reply)
        #expect(answers.map(\.batch) == [4, 5])
        guard case .answered(let first) = answers[0].outcome, case .answered(let second) = answers[1].outcome else {
            return #expect(Bool(false))
        }
        #expect(first.results.map(\.success) == [true, false] && second.results.map(\.id) == ["001000000000003"])
        #expect(second.requestID == "rq")
    }

    @Test("where an API takes one type, each object is a request of its own, under the same call")
    func requests() throws {
        let call = try CallRequest.read(json)[0]
        #expect(call.requests(mixes: true) == [call])
        let alone = call.requests(mixes: false)
        #expect(alone.map { $0.batches.map(\.batch) } == [[4], [5]] && alone.map(\.call) == [4, 4])
        #expect(alone[0].requests(mixes: false) == [alone[0]])
    }

    @Test("batches that ask for other options travel alone, those that ask for the same together")
    func options() throws {
        var call = try CallRequest.read(json)[0]
        call.batches[0].options = BatchRequest.Options(assignmentRule: "default", allowDuplicates: true)
        #expect(call.requests(mixes: true).map { $0.batches.map(\.writeOptions) } == [
            [WriteOptions(assignmentRule: .useDefault, allowsDuplicates: true)], [WriteOptions()],
        ])
        call.batches[1].options = call.batches[0].options
        #expect(call.requests(mixes: true) == [call])
        let written = #"[{"call":1,"api":"single","operation":"create","batches":[{"batch":1,"mapping":"m","operation":"create","object":"Lead","attempt":1,"#
            + #""options":{"assignment_rule":"01Qxx0000000001AAA"},"records":[]}]}]"#
        #expect(try CallRequest.read(written)[0].batches[0].writeOptions == WriteOptions(assignmentRule: .rule(id: "01Qxx0000000001AAA")))
    }

    @Test("an answer is an element of what hc_answer_batches takes")
    func answer() {
        let answer = BatchAnswer(batch: 9, outcome: .inDoubt(code: "timed_out", message: "m", kind: .outage))
        #expect(answer.json == #"{"batch":9,"outcome":"in_doubt","answer":{"code":"timed_out","kind":"outage","message":"m"}}"#)
    }
}
