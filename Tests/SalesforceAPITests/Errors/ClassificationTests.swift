import HTTPTransport
import Testing

@testable import SalesforceAPI

/// One answer and what it means for the work in the call (design section 7; API reference 1.8, 2.2, 3.6, 4.1, 7).
struct AnswerCase: Sendable, CustomTestStringConvertible {
    var name: String
    var status: Int
    var type = "application/json;charset=UTF-8"
    var body: String
    var envelope = RequestErrorTable.Envelope.rest
    var disposition: Disposition?
    var testDescription: String { name }

    static func rest(_ status: Int, _ code: String, _ disposition: Disposition, message: String = "m") -> AnswerCase {
        AnswerCase(
            name: "REST \(status) \(code) \(message)", status: status, body: #"[{"message":"\#(message)","errorCode":"\#(code)"}]"#,
            disposition: disposition)
    }

    static func soap(_ code: String, _ disposition: Disposition, message: String = "m") -> AnswerCase {
        AnswerCase(
            name: "SOAP \(code)", status: 500, type: "text/xml;charset=UTF-8",
            body: #"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault><faultcode>sf:\#(code)</faultcode><faultstring>\#(code): \#(message)</faultstring><detail><sf:F><sf:exceptionCode>\#(code)</sf:exceptionCode><sf:exceptionMessage>\#(message)</sf:exceptionMessage></sf:F></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#,
            envelope: .soap, disposition: disposition)
    }

    static func bulk1(_ code: String, _ disposition: Disposition) -> AnswerCase {
        AnswerCase(
            name: "Bulk 1.0 \(code)", status: 400, type: "application/xml",
            body: #"<error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>\#(code)</exceptionCode><exceptionMessage>m</exceptionMessage></error>"#,
            envelope: .bulk1, disposition: disposition)
    }
}

@Suite("classification")
struct ClassificationTests {
    static let cases: [AnswerCase] = [
        // Success.
        AnswerCase(name: "200", status: 200, body: "{}", disposition: nil),
        AnswerCase(name: "204 empty", status: 204, body: "", disposition: nil),
        // Sessions: nothing ran, one renewal.
        .rest(401, "INVALID_SESSION_ID", .needsSession, message: "Session expired or invalid"),
        .rest(401, "INVALID_AUTH_HEADER", .needsSession, message: "INVALID_JWT_FORMAT"),
        .rest(401, "INVALID_SESSION_ID", .configuration, message: "This session is not valid for use with the REST API"),
        .soap("INVALID_SESSION_ID", .needsSession),
        .bulk1("InvalidSessionId", .needsSession),
        AnswerCase(
            name: "Bulk 1.0 session as JSON", status: 400, body: #"{"exceptionCode":"InvalidSessionId","exceptionMessage":"Invalid session id"}"#,
            envelope: .bulk1, disposition: .needsSession),
        AnswerCase(name: "401 without a body", status: 401, body: "", disposition: .needsSession),
        AnswerCase(name: "Bad_OAuth_Token", status: 403, type: "text/plain", body: "Bad_OAuth_Token", disposition: .needsSession),
        AnswerCase(name: "org moved", status: 302, body: "", disposition: .needsSession),
        .soap("ORG_NOT_OWNED_BY_INSTANCE", .needsSession),
        // Limits: the text tells which.
        .rest(403, "REQUEST_LIMIT_EXCEEDED", .limit(retryAfter: .seconds(900)), message: "TotalRequests Limit exceeded."),
        .rest(403, "REQUEST_LIMIT_EXCEEDED", .limit(retryAfter: .seconds(45)), message: "ConcurrentPerOrgLongTxn Limit exceeded."),
        .rest(503, "REQUEST_LIMIT_EXCEEDED", .limit(retryAfter: .seconds(900))),
        .soap("REQUEST_LIMIT_EXCEEDED", .limit(retryAfter: .seconds(900))),
        .bulk1("ExceededQuota", .limit(retryAfter: .seconds(900))),
        AnswerCase(name: "429 without a body", status: 429, body: "", disposition: .limit(retryAfter: .seconds(30))),
        // Read-only maintenance and locks: the org itself says that nothing was written.
        .rest(403, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", .nothingRan(retryAfter: nil)),
        .soap("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", .nothingRan(retryAfter: nil)),
        .rest(400, "UNABLE_TO_LOCK_ROW", .nothingRan(retryAfter: nil)),
        .soap("UNABLE_TO_LOCK_ROW", .nothingRan(retryAfter: nil)),
        .rest(403, "API_CURRENTLY_DISABLED", .nothingRan(retryAfter: nil)),
        .rest(400, "REQUEST_RUNNING_TOO_LONG", .nothingRan(retryAfter: nil)),
        // 5xx, HTML, unreadable: in doubt, whatever the text says.
        .rest(503, "SERVER_UNAVAILABLE", .inDoubt), .rest(500, "UNKNOWN_EXCEPTION", .inDoubt), .rest(500, "APEX_ERROR", .inDoubt),
        .rest(500, "INVALID_FIELD", .inDoubt), .rest(500, "NEVER_HEARD_OF", .inDoubt), .rest(400, "UNKNOWN_EXCEPTION", .inDoubt),
        .soap("UNKNOWN_EXCEPTION", .inDoubt), .soap("SERVER_UNAVAILABLE", .inDoubt), .soap("REQUEST_RUNNING_TOO_LONG", .inDoubt),
        .soap("NEVER_HEARD_OF", .inDoubt), .bulk1("InternalServerError", .inDoubt),
        AnswerCase(name: "503 HTML", status: 503, type: "text/html", body: "<html>We are down for maintenance.</html>", disposition: .inDoubt),
        AnswerCase(name: "200 HTML", status: 200, type: "text/html; charset=utf-8", body: "<!DOCTYPE html><html></html>", disposition: .inDoubt),
        AnswerCase(name: "200 HTML that says it is XML", status: 200, type: "text/xml", body: "\n <HTML><body/></HTML>", envelope: .soap, disposition: .inDoubt),
        AnswerCase(name: "404 HTML", status: 404, type: "text/html", body: "<html></html>", disposition: .inDoubt),
        AnswerCase(name: "502 empty", status: 502, body: "", disposition: .inDoubt),
        AnswerCase(name: "400 that is no JSON", status: 400, body: "oops", disposition: .inDoubt),
        AnswerCase(name: "500 half a fault", status: 500, type: "text/xml", body: "<soapenv:Envelope><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode>", envelope: .soap, disposition: .inDoubt),
        AnswerCase(name: "420 HTML", status: 420, type: "text/html", body: "<html></html>", disposition: .inDoubt),
        // Configuration.
        .rest(400, "INVALID_FIELD", .configuration), .rest(404, "NOT_FOUND", .configuration), .rest(400, "INVALID_TYPE", .configuration),
        .rest(403, "API_DISABLED_FOR_ORG", .configuration), .rest(403, "SOMETHING_NEW", .configuration),
        .soap("INVALID_FIELD", .configuration), .soap("API_DISABLED_FOR_ORG", .configuration), .bulk1("InvalidEntity", .configuration),
        .rest(400, "INVALIDENTITY", .configuration), .rest(410, "UNSUPPORTED_API_VERSION", .configuration),
        // The place in a result is gone.
        .rest(400, "INVALID_QUERY_LOCATOR", .restartQuery), .rest(400, "QUERY_TIMEOUT", .restartQuery), .soap("INVALID_QUERY_LOCATOR", .restartQuery),
        .rest(400, "INVALIDJOBSTATE", .restartQuery), .bulk1("InvalidJob", .restartQuery),
        // Ours.
        .rest(400, "MALFORMED_QUERY", .bug), .rest(400, "JSON_PARSER_ERROR", .bug), .rest(400, "EXCEEDED_ID_LIMIT", .bug),
        .soap("EXCEEDED_ID_LIMIT", .bug), .soap("MALFORMED_QUERY", .bug), .bulk1("InvalidXml", .bug),
        AnswerCase(
            name: "SOAP client fault", status: 500, type: "text/xml",
            body: "<E><Body><Fault><faultcode>soapenv:Client</faultcode><faultstring>SOAPAction HTTP header missing</faultstring></Fault></Body></E>",
            envelope: .soap, disposition: .bug),
        AnswerCase(name: "431", status: 431, type: "text/html", body: "<html></html>", disposition: .bug),
        AnswerCase(name: "413 empty", status: 413, body: "", disposition: .bug),
    ]

    @Test("an answer means one thing", arguments: cases)
    func answer(example: AnswerCase) {
        let response = HTTPResponse(
            status: example.status, headers: HTTPHeaders([HTTPHeader("Content-Type", example.type)]), body: Array(example.body.utf8))
        let error = ResponseClassifier.error(response, envelope: example.envelope, operation: "update of 2 Account records")
        #expect(error?.disposition == example.disposition)
    }

    @Test("Retry-After is honoured for a limit")
    func retryAfter() {
        let response = HTTPResponse(
            status: 403, headers: HTTPHeaders([HTTPHeader("Retry-After", "120"), HTTPHeader("Content-Type", "application/json")]),
            body: Array(#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"x"}]"#.utf8))
        let error = ResponseClassifier.error(response, envelope: .rest, operation: "x")
        #expect(error?.retryAfter == .seconds(120))
    }

    @Test(
        "below HTTP only the proof that nothing was written lets a call be repeated",
        arguments: [
            (HTTPError.Code.couldNotConnect, false, false, Disposition.nothingRan(retryAfter: nil)), (.couldNotResolve, false, true, .nothingRan(retryAfter: nil)),
            (.tls, false, true, .nothingRan(retryAfter: nil)), (.connectionLost, false, true, .nothingRan(retryAfter: nil)),
            (.connectionLost, true, true, .inDoubt), (.timedOut, true, true, .inDoubt), (.timedOut, false, true, .nothingRan(retryAfter: nil)),
            (.stalled, true, true, .inDoubt), (.badResponse, true, true, .inDoubt), (.cancelled, true, true, .inDoubt),
            (.cancelled, false, true, .nothingRan(retryAfter: nil)), (.bodyTooLarge, true, true, .inDoubt), (.bodyTooLarge, true, false, .configuration),
            (.badURL, false, true, .bug), (.badRequest, false, true, .bug), (.other, true, true, .inDoubt),
        ] as [(HTTPError.Code, Bool, Bool, Disposition)])
    func transport(code: HTTPError.Code, written: Bool, isWrite: Bool, expected: Disposition) {
        let error = TransportFailure.error(HTTPError(code: code, requestWasWritten: written), operation: "x", isWrite: isWrite)
        #expect(error.disposition == expected)
    }

    @Test("only a failure that proves nothing is in doubt")
    func proof() {
        #expect(Disposition.inDoubt.provesNothingRan == false)
        for disposition in [Disposition.nothingRan(retryAfter: nil), .needsSession, .configuration, .limit(retryAfter: .seconds(1)), .restartQuery, .bug] {
            #expect(disposition.provesNothingRan)
        }
    }
}

@Suite("what a person reads")
struct DescriptionTests {
    @Test("one line says what was asked, what came back and what to do")
    func line() {
        let error = SalesforceError(
            .configuration, code: "INVALID_FIELD", message: "No such column 'Foo__c'\non entity 'Account'.", status: 400, operation: "query of Account")
        #expect(
            error.description
                == "query of Account: No such column 'Foo__c' on entity 'Account'. (INVALID_FIELD); the field does not exist or the sync user may not read it: check its name and field-level security"
        )
    }

    @Test(
        "tokens never show",
        arguments: [
            "missing session key: 00Dxx0000001gPL!AQ8AQExAmPlE.x", "<sessionId>00Dxx0000001gPLEAY!AQ8AQExAmPlE</sessionId>",
            "refresh 5Aep861ExAmPlE5Aep861ExAmPlE failed", "assertion=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
        ])
    func redaction(message: String) {
        let shown = SalesforceError(.bug, message: message, operation: "x").description
        #expect(shown.contains("<redacted>"))
        for secret in ["ExAmPlE", "eyJ"] { #expect(!shown.contains(secret)) }
    }

    @Test("a session fault shows none of Salesforce's text, which quotes the key")
    func sessionFault() throws {
        let example = AnswerCase.soap("INVALID_SESSION_ID", .needsSession, message: "Illegal Session. missing session key: 00Dxx ExAmPlE")
        let response = HTTPResponse(status: 500, headers: HTTPHeaders(), body: Array(example.body.utf8))
        let error = try #require(ResponseClassifier.error(response, envelope: .soap, operation: "x"))
        #expect(!error.description.contains("ExAmPlE"))
    }

    @Test("long texts are cut, plain ids and exclamation marks stay")
    func bounds() {
        let long = SalesforceError(.bug, message: String(repeating: "word ", count: 1000), operation: "x")
        #expect(long.message.count <= SalesforceError.maximumMessageLength + 2)
        #expect(SalesforceError(.bug, message: "Oh no! record 001xx000003DGb2AAG of 00Dxx0000001gPL", operation: "x").message == "Oh no! record 001xx000003DGb2AAG of 00Dxx0000001gPL")
    }

    @Test("a secret prints as nothing but its presence")
    func secret() {
        let secret = Secret("hunter2")
        #expect("\(secret)" == "<redacted>")
        #expect(String(reflecting: secret) == "<redacted>")
        var dumped = ""
        dump(Credentials.clientCredentials(clientID: "id", clientSecret: secret, loginURL: "https://x"), to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(secret.reveal() == "hunter2")
    }

    @Test(
        "a failed job says why",
        arguments: [
            ("InvalidBatch : Field name not found : Foo__c", Disposition.configuration, "INVALID_FIELD"),
            ("QUERY_TIMEOUT : Your query request was running for too long.", .restartQuery, "QUERY_TIMEOUT"),
            ("ExceededQuota : too much", .limit(retryAfter: .seconds(900)), "ExceededQuota"), ("Retried more than thirty times", .restartQuery, nil),
            (nil, .restartQuery, nil), ("INVALID_TYPE: sObject type 'X' is not supported", .configuration, "INVALID_TYPE"),
        ] as [(String?, Disposition, String?)])
    func bulk(text: String?, disposition: Disposition, code: String?) {
        let error = BulkFailure.error(text, state: "Failed", operation: "bulk query of X")
        #expect(error.disposition == disposition)
        #expect(error.code == code)
    }
}
