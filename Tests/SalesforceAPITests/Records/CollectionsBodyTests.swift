import Testing

@testable import SalesforceAPI

@Suite("REST collections")
struct CollectionsBodyTests {
    @Test("the same record as JSON, numbers and booleans unquoted")
    func body() {
        let record = WriteRecord(
            objectType: "Account", id: "001xx000003DGb2AAG",
            fields: [
                WriteField("Name", "A \"b\" \\ \n"), WriteField("Amount__c", "123456789012345678.10", form: .number),
                WriteField("Active__c", "true", form: .boolean), WriteField("Site", ""), WriteField("Odd__c", "1,5", form: .number),
            ], nulls: ["Phone"],
            parents: [ParentReference(relationshipName: "Owner", parentType: "User", externalIDField: "ExtId__c", value: "u1")])
        #expect(
            String(decoding: CollectionsBody.encode([record], .update), as: UTF8.self)
                == #"{"allOrNone":false,"records":[{"attributes":{"type":"Account"},"id":"001xx000003DGb2AAG","Phone":null,"Name":"A \"b\" \\ \n","Amount__c":123456789012345678.10,"Active__c":true,"Site":null,"Odd__c":"1,5","Owner":{"attributes":{"type":"User"},"ExtId__c":"u1"}}]}"#
        )
    }

    @Test(
        "numbers are JSON's",
        arguments: [
            ("0", true), ("-0.5", true), ("12", true), ("1.0E7", true), ("1e-3", true), ("007", false), ("1.", false), (".5", false),
            ("", false), ("NaN", false), ("1 ", false), ("+1", false), ("-", false),
        ])
    func numbers(text: String, expected: Bool) {
        #expect(JSONWriter.isNumber(text) == expected)
    }

    @Test("a retrieve names ids and fields")
    func retrieve() {
        #expect(String(decoding: CollectionsBody.encode(ids: ["1", "2"], fields: ["Id"]), as: UTF8.self) == #"{"ids":["1","2"],"fields":["Id"]}"#)
    }
}
