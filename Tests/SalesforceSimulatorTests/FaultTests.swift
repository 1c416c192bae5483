import Foundation
import Testing

@Suite("faults and permissions")
struct FaultTests {
    private static func names(_ client: OrgClient, _ name: String) async throws -> Int {
        try await client.column("SELECT Id FROM Account WHERE Name = '\(name)'").count
    }

    @Test("a connection dropped before the commit saves nothing, after it everything", arguments: [("dropBeforeCommit", 0), ("dropAfterCommit", 1)])
    func drop(kind: String, saved: Int) async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "faults", #"{"kind": "\#(kind)", "match": {"family": "soap", "operation": "create", "object": "account"}}"#)
            await #expect(throws: (any Error).self) {
                try await client.soap("<u:create><u:sObjects><s:type>Account</s:type><s:Name>dropped</s:Name></u:sObjects></u:create>")
            }
            #expect(try await Self.names(client, "dropped") == saved)
            let call = try #require(try await client.control("GET", "calls?operation=create").list.first)
            #expect(call["status"] as? Int == 0)
            #expect(call["fault"] as? String == kind)
            #expect(try await client.soap("<u:create><u:sObjects><s:type>Account</s:type><s:Name>next</s:Name></u:sObjects></u:create>").status == 200)
        }
    }

    @Test("one record is refused, its neighbours are saved; the second call, and only it")
    func reject() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "faults", #"{"kind": "reject", "record": 1, "code": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "nth": 2}"#)
            let records = ["a", "b", "c"].map { #"{"attributes": {"type": "Account"}, "Name": "\#($0)-locked"}"# }.joined(separator: ",")
            let body = #"{"records": [\#(records)]}"#
            #expect(try await client.rest("POST", "composite/sobjects", body).list.allSatisfy { $0["success"] as? Bool == true })
            let second = try await client.rest("POST", "composite/sobjects", body).list
            #expect(second.map { $0["success"] as? Bool } == [true, false, true])
            #expect((second[1]["errors"] as? [[String: Any]])?.first?["statusCode"] as? String == "UNABLE_TO_LOCK_ROW")
            #expect(try await client.rest("POST", "composite/sobjects", body).list.allSatisfy { $0["success"] as? Bool == true })
            #expect(try await Self.names(client, "b-locked") == 2)
        }
    }

    @Test("errors take the form of the family", arguments: [
        (#"{"kind": "unavailable"}"#, 503, "application/json;charset=UTF-8", "SERVER_UNAVAILABLE"),
        (#"{"kind": "unavailableHTML"}"#, 503, "text/html;charset=UTF-8", "down for maintenance"),
        (#"{"kind": "html"}"#, 200, "text/html;charset=UTF-8", "down for maintenance"),
        (#"{"kind": "error", "code": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}"#, 403, "application/json;charset=UTF-8", "TotalRequests"),
        (#"{"kind": "error", "code": "INVALID_SESSION_ID", "message": "Session expired or invalid"}"#, 401, "application/json;charset=UTF-8", "INVALID_SESSION_ID"),
    ])
    func errors(fault: String, status: Int, type: String, text: String) async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("POST", "faults", fault)
            let answer = try await client.rest("GET", "limits")
            #expect(answer.status == status)
            #expect(answer.headers["content-type"] == type)
            #expect(answer.text.contains(text))
            #expect(try await client.rest("GET", "limits").status == 200)
            if fault.contains("\"error\"") {
                _ = try await client.control("POST", "faults", fault)
                let soap = try await client.soap("<u:getServerTimestamp/>")
                #expect(soap.status == 500)
                #expect(soap.text.contains("<sf:exceptionCode>"))
            }
        }
    }

    @Test("a late answer waits, a late commit keeps its stamp")
    func late() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "faults", #"{"kind": "delay", "milliseconds": 300, "match": {"operation": "limits"}}"#)
            let clock = ContinuousClock()
            let waited = try await clock.measure { _ = try await client.rest("GET", "limits") }
            #expect(waited >= .milliseconds(290))
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T12:30:10Z"}"#)
            _ = try await client.control("POST", "faults", #"{"kind": "lateCommit", "milliseconds": 2500, "match": {"operation": "create"}}"#)
            async let created = client.rest("POST", "sobjects/Account", #"{"Name": "slow"}"#)
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await Self.names(client, "slow") == 0)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 100}"#)
            #expect(try await created.status == 201)
            #expect(try await client.column("SELECT SystemModstamp FROM Account WHERE Name = 'slow'").first?.hasPrefix("2030-05-05T12:30:1") == true)
        }
    }

    @Test("the daily limit ends the calls")
    func limit() async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("PATCH", "settings", #"{"dailyRequests": 2, "usedRequests": 0}"#)
            #expect(try await client.rest("GET", "limits").headers["sforce-limit-info"] == "api-usage=1/2")
            _ = try await client.rest("GET", "limits")
            let refused = try await client.rest("GET", "limits")
            #expect(refused.status == 403)
            #expect(refused.errorCode == "REQUEST_LIMIT_EXCEEDED")
        }
    }

    @Test("a hidden field does not exist, a protected one cannot be written")
    func permissions() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "permissions", #"{"object": "Account", "field": "Fax", "readable": false, "user": "integration@example.com"}"#)
            _ = try await client.control("POST", "permissions", #"{"object": "Account", "field": "Phone", "updateable": false}"#)
            let fields = try await client.rest("GET", "sobjects/Account/describe").object["fields"] as? [[String: Any]] ?? []
            #expect(!fields.contains { $0["name"] as? String == "Fax" })
            #expect(fields.first { $0["name"] as? String == "Phone" }?["updateable"] as? Bool == false)
            #expect(try await client.query("SELECT Fax FROM Account").errorCode == "INVALID_FIELD")
            let id = try #require(try await client.column("SELECT Id FROM Account LIMIT 1").first)
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Phone": "1"}"#).errorCode == "INVALID_FIELD_FOR_INSERT_UPDATE")
        }
    }

    @Test("rules, flows and formulas of the sample org")
    func automation() async throws {
        try await withOrg { client in
            let refused = try await client.rest("POST", "sobjects/Contact", #"{"LastName": "x", "Email": "invalid@invalid"}"#)
            #expect(refused.status == 400)
            #expect(refused.errorCode == "FIELD_CUSTOM_VALIDATION_EXCEPTION")
            #expect(refused.list.first?["fields"] as? [String] == ["Email"])
            let invoice = try await client.rest("POST", "sobjects/Invoice__c", #"{"Amount__c": 1.005, "Tags__c": "Urgent;Late"}"#)
            #expect(invoice.status == 201)
            let id = try #require(invoice.object["id"] as? String)
            let record = try await client.rest("GET", "sobjects/Invoice__c/\(id)").object
            #expect(record["Name"] as? String == "INV-0051")
            #expect(record["Formula__c"] as? String == "INV-0051: 1.01")
            #expect(record["Tags__c"] as? String == "Urgent;Late")
            #expect(record["Paid__c"] as? Bool == false)
        }
    }
}
