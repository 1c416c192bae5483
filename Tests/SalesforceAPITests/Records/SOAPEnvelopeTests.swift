import Testing

@testable import SalesforceAPI

@Suite("SOAP requests")
struct SOAPEnvelopeTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("an upsert has the order of the reference: type, fieldsToNull, fields, parent")
    func upsert() {
        let record = WriteRecord(
            objectType: "Contact", fields: [WriteField("Ext__c", "c-1"), WriteField("LastName", "Doe")], nulls: ["Phone", "Fax"],
            parents: [ParentReference(relationshipName: "Account", parentType: "Account", externalIDField: "AccExt__c", value: "a-9")])
        #expect(
            text(SOAPEnvelope.body(.upsert(externalIDField: "Ext__c"), [record]))
                == "<urn:externalIDFieldName>Ext__c</urn:externalIDFieldName>"
                + "<urn:sObjects><sf:type>Contact</sf:type><sf:fieldsToNull>Phone</sf:fieldsToNull><sf:fieldsToNull>Fax</sf:fieldsToNull>"
                + "<sf:Ext__c>c-1</sf:Ext__c><sf:LastName>Doe</sf:LastName>"
                + "<sf:Account><sf:type>Account</sf:type><sf:AccExt__c>a-9</sf:AccExt__c></sf:Account></urn:sObjects>")
    }

    @Test("an update carries the id after the nulls, an empty value is a null, markup and CR are escaped")
    func update() {
        let record = WriteRecord(
            objectType: "Account", id: "001xx000003DGb2AAG",
            fields: [WriteField("Name", "A & B <c>\r\n\"d\""), WriteField("Site", "")], nulls: ["Phone"])
        #expect(
            text(SOAPEnvelope.body(.update, [record]))
                == "<urn:sObjects><sf:type>Account</sf:type><sf:fieldsToNull>Phone</sf:fieldsToNull><sf:fieldsToNull>Site</sf:fieldsToNull>"
                + "<sf:Id>001xx000003DGb2AAG</sf:Id><sf:Name>A &amp; B &lt;c&gt;&#13;\n&quot;d&quot;</sf:Name></urn:sObjects>")
    }

    @Test("the envelope names session and client, and nothing is all or none")
    func envelope() {
        let bytes = SOAPEnvelope.encode(
            operation: "delete", sessionID: Secret("00D!a<b"), client: "hc-sync/1.0",
            headers: SOAPEnvelope.headers(WriteOptions(), assigns: false), body: SOAPEnvelope.body(deleting: ["001xx000003DGb2AAG"]))
        #expect(
            text(bytes)
                == #"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/""#
                + #" xmlns:urn="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com"><soapenv:Header>"#
                + "<urn:SessionHeader><urn:sessionId>00D!a&lt;b</urn:sessionId></urn:SessionHeader>"
                + "<urn:CallOptions><urn:client>hc-sync/1.0</urn:client></urn:CallOptions>"
                + "<urn:AllOrNoneHeader><urn:allOrNone>false</urn:allOrNone></urn:AllOrNoneHeader></soapenv:Header>"
                + "<soapenv:Body><urn:delete><urn:ids>001xx000003DGb2AAG</urn:ids></urn:delete></soapenv:Body></soapenv:Envelope>")
    }

    @Test("options become headers, assignment only where a call takes it")
    func options() {
        let options = WriteOptions(assignmentRule: .useDefault, allowsDuplicates: true)
        let duplicates =
            "<urn:DuplicateRuleHeader><urn:allowSave>true</urn:allowSave><urn:includeRecordDetails>false</urn:includeRecordDetails>"
            + "<urn:runAsCurrentUser>true</urn:runAsCurrentUser></urn:DuplicateRuleHeader>"
        let none = "<urn:AllOrNoneHeader><urn:allOrNone>false</urn:allOrNone></urn:AllOrNoneHeader>"
        #expect(
            text(SOAPEnvelope.headers(options, assigns: true))
                == none + "<urn:AssignmentRuleHeader><urn:useDefaultRule>true</urn:useDefaultRule></urn:AssignmentRuleHeader>" + duplicates)
        #expect(text(SOAPEnvelope.headers(options, assigns: false)) == none + duplicates)
        #expect(
            text(SOAPEnvelope.headers(WriteOptions(assignmentRule: .rule(id: "01Qxx0000000001")), assigns: true))
                == none + "<urn:AssignmentRuleHeader><urn:assignmentRuleId>01Qxx0000000001</urn:assignmentRuleId></urn:AssignmentRuleHeader>")
    }

    @Test("retrieve names fields, type and ids in this order")
    func retrieve() {
        #expect(
            text(SOAPEnvelope.body(retrieving: ["001xx000003DGb2AAG", "001xx000003DGb3AAG"], of: "Account", fields: ["Id", "Name"]))
                == "<urn:fieldList>Id,Name</urn:fieldList><urn:sObjectType>Account</urn:sObjectType>"
                + "<urn:ids>001xx000003DGb2AAG</urn:ids><urn:ids>001xx000003DGb3AAG</urn:ids>")
    }
}

@Suite("records refused before sending")
struct WritePreflightTests {
    @Test(
        "a character that XML cannot carry refuses its record and names the field",
        arguments: [("\u{0}", "U+0000"), ("\u{1}", "U+0001"), ("\u{B}", "U+000B"), ("\u{1F}", "U+001F"), ("\u{FFFE}", "U+FFFE")])
    func character(text: String, name: String) throws {
        let record = WriteRecord(objectType: "Account", fields: [WriteField("Name", "a\(text)b")])
        let error = try #require(WritePreflight.refusal(record, .create))
        #expect(error.statusCode == "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET")
        #expect(error.message.contains(name))
        #expect(error.fields == ["Name"])
    }

    @Test("tab, line feed, CR, DEL and emoji may travel", arguments: ["\t", "\n", "\r", "\u{7F}", "😀", "\u{85}"])
    func allowed(text: String) {
        #expect(WritePreflight.refusal(WriteRecord(objectType: "Account", fields: [WriteField("Name", text)]), .create) == nil)
    }

    @Test(
        "names that would break the document, bad ids and missing ids are refused",
        arguments: [
            (WriteRecord(objectType: "Account><x", fields: []), "INVALID_FIELD"),
            (WriteRecord(objectType: "Account", id: "001xx000003DGb2", fields: [WriteField("Na me", "x")]), "INVALID_FIELD"),
            (WriteRecord(objectType: "Account", id: "001xx000003DGb2", nulls: ["Name/"]), "INVALID_FIELD"),
            (WriteRecord(objectType: "Account", id: "001"), "MALFORMED_ID"), (WriteRecord(objectType: "Account"), "MISSING_ARGUMENT"),
            (
                WriteRecord(
                    objectType: "Account", id: "001xx000003DGb2",
                    parents: [ParentReference(relationshipName: "Parent", parentType: "Account", externalIDField: "E c", value: "1")]),
                "INVALID_FIELD"
            ),
        ])
    func refuses(record: WriteRecord, code: String) {
        #expect(WritePreflight.refusal(record, .update)?.statusCode == code)
    }

    @Test("too many records, or too many changes of type, are our fault")
    func sizes() {
        let many = Array(repeating: WriteRecord(objectType: "Account"), count: 201)
        let mixed = (0..<11).map { WriteRecord(objectType: $0 % 2 == 0 ? "Account" : "Contact") }
        #expect(throws: SalesforceError.self) { try WritePreflight.checkSize(many, operation: "create") }
        #expect(throws: SalesforceError.self) { try WritePreflight.checkSize(mixed, operation: "create") }
        #expect(throws: Never.self) { try WritePreflight.checkSize(Array(many.dropLast()), operation: "create") }
        #expect(throws: Never.self) { try WritePreflight.checkSize(Array(mixed.dropLast()), operation: "create") }
    }
}
