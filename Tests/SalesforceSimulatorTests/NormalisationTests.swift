import Foundation
import Testing

/// Wire reference 8.2, value by value: what is sent, and what is read afterwards.
@Suite("What a save makes of values")
struct NormalisationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var field: String
        /// As JSON.
        var sent: String
        /// As JSON; nil when the record is refused.
        var stored: String?
        var code: String?

        init(_ field: String, _ sent: String, _ stored: String) {
            self.field = field
            self.sent = sent
            self.stored = stored
        }

        init(_ field: String, _ sent: String, refused code: String) {
            self.field = field
            self.sent = sent
            self.code = code
        }

        var testDescription: String { "\(field) \(sent)" }
    }

    static let cases = [
        Case("Text__c", #""  both ends \t""#, #""both ends""#), Case("Text__c", #""   ""#, "null"), Case("Text__c", #""""#, "null"),
        Case("Text__c", #""in  side""#, #""in  side""#), Case("Short_Text__c", #""12345678901""#, refused: "STRING_TOO_LONG"),
        Case("Short_Text__c", #"" 1234567890 ""#, #""1234567890""#), Case("Long_Text__c", #""a\r\nb""#, #""a\r\nb""#),
        Case("Currency__c", "1.005", "1.01"), Case("Currency__c", "-1.005", "-1.01"), Case("Currency__c", "2.004", "2.0"),
        Case("Currency__c", "1e3", "1000.0"), Case("Currency__c", "12345678901234567.00", refused: "NUMBER_OUTSIDE_VALID_RANGE"),
        Case("Percent__c", "99.995", "100.0"), Case("Integer__c", "12", "12"), Case("Integer__c", #""x""#, refused: "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        Case("Multi__c", #""West;North;West""#, #""North;West""#), Case("Multi__c", #"";""#, "null"),
        Case("Picklist__c", #""Not in the list""#, #""Not in the list""#),
        Case("Restricted__c", #""Purple""#, refused: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), Case("Restricted__c", #""red""#, #""Red""#),
        Case("Checkbox__c", #""true""#, "true"), Case("Checkbox__c", "null", refused: "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        Case("Date__c", #""2024-01-31Z""#, #""2024-01-31""#), Case("Date__c", #""2024-01-31T10:00:00Z""#, #""2024-01-31""#),
        Case("Date__c", #""1700-01-01""#, #""1700-01-01""#), Case("Date__c", #""4000-12-31""#, #""4000-12-31""#),
        Case("Date__c", #""0001-01-01""#, refused: "NUMBER_OUTSIDE_VALID_RANGE"), Case("Date__c", #""31.01.2024""#, refused: "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        Case("Date_Time__c", #""2024-01-31T12:00:00.987Z""#, #""2024-01-31T12:00:00.000+0000""#),
        Case("Date_Time__c", #""2024-01-31T12:00:00+02:00""#, #""2024-01-31T10:00:00.000+0000""#), Case("Time__c", #""13:30:00Z""#, #""13:30:00.000Z""#),
        Case("Email__c", #""Me@Example.COM""#, #""Me@Example.COM""#), Case("Email__c", #""no address""#, refused: "INVALID_EMAIL_ADDRESS"),
        Case("Phone__c", #""call me""#, #""call me""#), Case("Url__c", #""example""#, #""example""#),
        Case("Rich_Text__c", #""<p onclick='x()'>a</p><script>b</script>""#, #""<p>a</p>""#),
        Case("Account__c", #""001xx""#, refused: "MALFORMED_ID"),
    ]

    @Test("a value is stored as Salesforce stores it, or refused with its code", arguments: [cases])
    func values(_ cases: [Case]) async throws {
        try await withOrg { client in
            for item in cases {
                let saved = try await client.rest("POST", "sobjects/Everything__c", #"{"Name": "n", "\#(item.field)": \#(item.sent)}"#)
                if let code = item.code {
                    #expect(saved.errorCode == code, "\(item.testDescription): \(saved.text)")
                    #expect(saved.list.first?["fields"] as? [String] == [item.field], "\(item.testDescription)")
                    continue
                }
                let id = try #require(saved.object["id"] as? String, "\(item.testDescription): \(saved.text)")
                let read = try await client.rest("GET", "sobjects/Everything__c/\(id)?fields=\(item.field)")
                #expect(read.text.hasSuffix("\"\(item.field)\":\(item.stored ?? "")}"), "\(item.testDescription): \(read.text)")
            }
        }
    }

    @Test("AllowFieldTruncationHeader cuts a long text silently")
    func truncation() async throws {
        try await withOrg { client in
            let call = "<u:create><u:sObjects><s:type>Everything__c</s:type><s:Name>cut</s:Name><s:Short_Text__c>12345678901</s:Short_Text__c></u:sObjects></u:create>"
            let refused = try await client.soap(call)
            #expect(refused.text.contains("STRING_TOO_LONG"))
            let header = "<u:AllowFieldTruncationHeader><u:allowFieldTruncation>true</u:allowFieldTruncation></u:AllowFieldTruncationHeader>"
            #expect(try await client.soap(call, headers: header).text.contains("<success>true</success>"))
            #expect(try await client.column("SELECT Short_Text__c FROM Everything__c WHERE Name = 'cut'") == ["1234567890"])
        }
    }
}
