@testable import SalesforceAPI
import Testing

@testable import Relay

@Suite("outcome of a batch")
struct BatchOutcomeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var disposition: Disposition
        var code: String?
        var outcome: String
        var kind: FailureKind
        var wait: Duration? = nil
        var testDescription: String { "\(disposition) \(code ?? "no code") is \(outcome)" }
    }

    // Design section 7, "In doubt": only a proof that nothing ran lets a batch go again at once.
    @Test("follows from what the error proves", arguments: [
        Case(disposition: .nothingRan(retryAfter: nil), code: "no_connection", outcome: "not_run", kind: .outage),
        Case(disposition: .nothingRan(retryAfter: .seconds(7)), code: "UNABLE_TO_LOCK_ROW", outcome: "not_run", kind: .lock, wait: .seconds(7)),
        Case(disposition: .inDoubt, code: "timed_out", outcome: "in_doubt", kind: .outage),
        Case(disposition: .inDoubt, code: nil, outcome: "in_doubt", kind: .outage),
        Case(disposition: .needsSession, code: "INVALID_SESSION_ID", outcome: "not_run", kind: .login),
        Case(disposition: .limit(retryAfter: .seconds(900)), code: "REQUEST_LIMIT_EXCEEDED", outcome: "not_run", kind: .quota, wait: .seconds(900)),
        Case(disposition: .configuration, code: "INVALID_FIELD", outcome: "refused", kind: .configuration),
        Case(disposition: .configuration, code: "INVALID_TYPE", outcome: "refused", kind: .configuration),
        Case(disposition: .configuration, code: "invalid_client", outcome: "not_run", kind: .login),
        Case(disposition: .configuration, code: "API_DISABLED_FOR_ORG", outcome: "not_run", kind: .organization),
        Case(disposition: .configuration, code: nil, outcome: "not_run", kind: .login),
        Case(disposition: .bug, code: "MALFORMED_ID", outcome: "refused", kind: .request),
        Case(disposition: .restartQuery, code: "INVALID_QUERY_LOCATOR", outcome: "not_run", kind: .outage),
    ])
    func disposition(_ it: Case) {
        let outcome = BatchOutcome(SalesforceError(it.disposition, code: it.code, message: "m", operation: "create"))
        #expect(outcome.name == it.outcome)
        switch outcome {
        case .answered: Issue.record("nothing was answered")
        case .notRun(_, _, let kind, let wait): #expect((kind, wait) == (it.kind, it.wait))
        case .inDoubt(_, _, let kind), .refused(_, _, let kind, _): #expect(kind == it.kind)
        }
    }

    @Test("in doubt and not run hold up what comes next, answers do not")
    func obstacle() {
        #expect(BatchOutcome.answered(WriteReply(results: [], requestID: nil, duration: .zero)).obstacle == nil)
        #expect(BatchOutcome.refused(code: "c", message: "m", kind: .request, requestID: nil).obstacle == nil)
        #expect(BatchOutcome.inDoubt(code: "c", message: "m", kind: .outage).obstacle == .zero)
        #expect(BatchOutcome.notRun(code: "c", message: "m", kind: .lock, retryAfter: .seconds(3)).obstacle == .seconds(3))
    }

    @Test("an answer becomes the document that hc_answer takes")
    func answeredDocument() {
        let reply = WriteReply(
            results: [
                WriteResult(id: "001000000000001AAA", success: true, created: true, errors: []),
                WriteResult(
                    id: nil, success: false, created: false,
                    errors: [RecordError(statusCode: "DUPLICATE_VALUE", message: "say \"no\"\n", fields: ["Name"])]),
            ], requestID: "rq", duration: .milliseconds(12))
        let expected =
            #"{"results":[{"id":"001000000000001AAA","success":true,"created":true,"errors":[]},"#
            + #"{"id":null,"success":false,"created":false,"errors":[{"code":"DUPLICATE_VALUE","message":"say \"no\"\n","fields":["Name"]}]}],"#
            + #""request_id":"rq","duration_ms":12}"#
        #expect(BatchOutcome.answered(reply).json == expected)
    }

    @Test("a wait is told in milliseconds, none as null")
    func notRunDocument() {
        let document = BatchOutcome.notRun(code: "c", message: "a\u{1}\u{0}b", kind: .lock, retryAfter: .seconds(2)).json
        #expect(document == #"{"code":"c","kind":"lock","message":"a\u0001b","retry_after_ms":2000}"#)
        let without = BatchOutcome.notRun(code: "c", message: "m", kind: .lock, retryAfter: nil).json
        #expect(without == #"{"code":"c","kind":"lock","message":"m","retry_after_ms":null}"#)
    }
}
