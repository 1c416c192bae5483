import Testing

@testable import SalesforceAPI

@Suite("SOAP answers")
struct SOAPReplyTests {
    private func envelope(_ body: String) -> [UInt8] {
        Array(
            (#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"#
                + "<soapenv:Header><LimitInfoHeader><limitInfo><current>18</current><limit>15000</limit><type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>"
                + "<soapenv:Body>\(body)</soapenv:Body></soapenv:Envelope>").utf8)
    }

    private func results(_ bytes: [UInt8], _ operation: String) throws -> SOAPReply<WriteResult> {
        try SOAPReply(bytes, operation: operation) { (reader, _) throws(XMLReader.Malformed) in
            try WriteResult.read(&reader, isCreate: operation == "create")
        }
    }

    @Test("an upsert's results are read in order, with errors and the API usage")
    func upsert() throws {
        let answer =
            envelope(
                #"<upsertResponse><result><created>true</created><id>003xx000004TmiQAAS</id><success>true</success></result>"#
                    + #"<result><created>false</created><errors><fields>LastName</fields><message>Required fields are missing: [LastName]</message><statusCode>REQUIRED_FIELD_MISSING</statusCode></errors><id xsi:nil="true"/><success>false</success></result></upsertResponse>"#
            )
        let reply = try results(answer, "upsert")
        #expect(
            reply.results == [
                WriteResult(id: "003xx000004TmiQAAS", success: true, created: true, errors: []),
                WriteResult(
                    id: nil, success: false, created: false,
                    errors: [
                        RecordError(
                            statusCode: "REQUIRED_FIELD_MISSING", message: "Required fields are missing: [LastName]", fields: ["LastName"])
                    ]),
            ])
        #expect(SOAPUsage.read(answer) == APIUsage(used: 18, maximum: 15000))
    }

    @Test("the API usage is read from faults too, and from nothing else", arguments: [
        ("<soapenv:Fault><faultcode>UNKNOWN_EXCEPTION</faultcode></soapenv:Fault>", true), ("", false),
    ])
    func usage(body: String, isEnvelope: Bool) {
        let answer = isEnvelope ? envelope(body) : Array("<html><body>502 <current>18</current><limit>5</limit></body>".utf8)
        #expect(SOAPUsage.read(answer) == (isEnvelope ? APIUsage(used: 18, maximum: 15000) : nil))
    }

    @Test("an error may come with details, nil fields and two reasons")
    func details() throws {
        let reply = try results(
            envelope(
                #"<createResponse><result><errors xsi:type="DuplicateError"><extendedErrorDetails xsi:nil="true"/><fields xsi:nil="true"/><message>Use &lt;one&gt;&#13;</message><statusCode>DUPLICATES_DETECTED</statusCode><duplicateResult><allowSave>true</allowSave><errorMessage>no</errorMessage></duplicateResult></errors>"#
                    + #"<errors><message>locked</message><statusCode>UNABLE_TO_LOCK_ROW</statusCode></errors><id xsi:nil="true"/><success>false</success></result></createResponse>"#
            ), "create")
        #expect(
            reply.results.first?.errors == [
                RecordError(statusCode: "DUPLICATES_DETECTED", message: "Use <one>\r"),
                RecordError(statusCode: "UNABLE_TO_LOCK_ROW", message: "locked"),
            ])
    }

    @Test("a successful create made the record, an update did not")
    func created() throws {
        let result = "<result><id>001xx000003DGb2AAG</id><success>true</success></result>"
        #expect(try results(envelope("<createResponse>\(result)</createResponse>"), "create").results.first?.created == true)
        #expect(try results(envelope("<updateResponse>\(result)</updateResponse>"), "update").results.first?.created == false)
    }

    @Test("half an answer, another answer and a result without a verdict are unreadable")
    func unreadable() {
        let whole = envelope("<updateResponse><result><id>001xx000003DGb2AAG</id><success>true</success></result></updateResponse>")
        for end in stride(from: 0, to: whole.count - 1, by: 7) {
            #expect(throws: XMLReader.Malformed.self) { try results(Array(whole[..<end]), "update") }
        }
        #expect(throws: XMLReader.Malformed.self) { try results(whole, "upsert") }
        #expect(throws: XMLReader.Malformed.self) { try results(envelope(""), "update") }
        #expect(throws: XMLReader.Malformed.self) {
            try results(envelope("<updateResponse><result><id>1</id></result></updateResponse>"), "update")
        }
    }

    @Test("a record becomes the JSON that REST gives: Id once, nulls, parents, addresses")
    func record() throws {
        let body =
            #"<retrieveResponse><result xsi:type="sf:sObject"><sf:type>Account</sf:type><sf:Id>001xx000003DGb2AAG</sf:Id><sf:Id>001xx000003DGb2AAG</sf:Id>"#
            + #"<sf:Name>A "c" \ &#13;"# + "\n" + #"x</sf:Name><sf:Phone xsi:nil="true"/>"#
            + #"<sf:Owner xsi:type="sf:sObject"><sf:type>User</sf:type><sf:Id xsi:nil="true"/><sf:Name>U</sf:Name></sf:Owner>"#
            + #"<sf:BillingAddress xsi:type="address"><sf:city>X</sf:city><sf:street xsi:nil="true"/></sf:BillingAddress></result><result xsi:nil="true"/></retrieveResponse>"#
        var rows: [String] = []
        let reply = try SOAPReply(envelope(body), operation: "retrieve") { (reader, isNil) throws(XMLReader.Malformed) -> Bool in
            var json = JSONWriter()
            if isNil { try reader.skipElement() } else { try SOAPRecord.writeJSON(&reader, into: &json) }
            rows.append(String(decoding: json.bytes, as: UTF8.self))
            return isNil
        }
        #expect(reply.results == [false, true])
        #expect(
            rows[0]
                == #"{"attributes":{"type":"Account"},"Id":"001xx000003DGb2AAG","Name":"A \"c\" \\ \r\nx","Phone":null,"Owner":{"attributes":{"type":"User"},"Name":"U"},"BillingAddress":{"city":"X","street":null}}"#
        )
    }
}
