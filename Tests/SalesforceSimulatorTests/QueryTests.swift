import Foundation
import Testing

@Suite("SOQL")
struct QueryTests {
    /// Four invoices whose values the table of queries picks from.
    private static let records = #"""
        {"records": [
         {"Amount__c": 10.5, "Paid__c": true, "Tags__c": "Late;Urgent", "ExternalId__c": "one", "Due_Time__c": "08:30:00.000Z"},
         {"Amount__c": 20, "Paid__c": false, "ExternalId__c": "Two", "Notes__c": "long"},
         {"Amount__c": null, "Paid__c": false, "Tags__c": "Monthly", "ExternalId__c": "it's 100%"},
         {"Amount__c": -3.25, "Paid__c": true, "ExternalId__c": "under_score", "Due_Time__c": "17:00:00.000Z"}]}
        """#

    @Test("rows by condition and order", .timeLimit(.minutes(1)), arguments: [
        ("Amount__c > 10", ["one", "Two"]), ("Amount__c >= 10.5", ["one", "Two"]), ("Amount__c < 10.501", ["one", "under_score"]),
        ("Amount__c = null", ["it's 100%"]), ("Amount__c != null", ["one", "Two", "under_score"]), ("Amount__c != 20", ["one", "it's 100%", "under_score"]),
        ("Paid__c = TRUE AND Amount__c > 0", ["one"]), ("Paid__c = true OR (Amount__c = 20 AND Paid__c = false)", ["one", "Two", "under_score"]),
        ("NOT Amount__c = 20", ["one", "it's 100%", "under_score"]), ("ExternalId__c = 'ONE'", ["one"]), ("ExternalId__c LIKE 'o%'", ["one"]),
        ("ExternalId__c LIKE '%100\\\\%'", ["it's 100%"]), ("ExternalId__c LIKE 'under\\\\_%'", ["under_score"]), ("ExternalId__c = 'it\\'s 100%'", ["it's 100%"]),
        ("ExternalId__c IN ('two', 'one')", ["one", "Two"]), ("ExternalId__c NOT IN ('two')", ["one", "it's 100%", "under_score"]),
        ("Tags__c INCLUDES ('Urgent')", ["one"]), ("Tags__c INCLUDES ('Late;Urgent', 'Monthly')", ["one", "it's 100%"]),
        ("Due_Time__c > 09:00:00.000Z", ["under_score"]), ("SystemModstamp >= 2000-01-01T00:00:00Z AND Amount__c > 15", ["Two"]),
        ("SystemModstamp > 2100-01-01T00:00:00+01:00", []), ("Account__r.Name = null", ["one", "Two", "it's 100%", "under_score"]),
    ])
    func conditions(condition: String, expected: [String]) async throws {
        try await withOrg { client in
            let ids = try await client.column("SELECT Id FROM Invoice__c")
            _ = try await client.control("DELETE", "records/Invoice__c?ids=" + ids.joined(separator: ","))
            _ = try await client.control("POST", "records/Invoice__c", Self.records)
            let soql = condition.replacing("\\\\", with: "\\")
            #expect(try await client.column("SELECT ExternalId__c FROM Invoice__c WHERE \(soql) ORDER BY Id") == expected)
        }
    }

    @Test("refusals", arguments: [
        ("SELECT Id, Foo__c FROM Account", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Account'"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE", "sObject type 'Nothing__c' is not supported"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "ERROR at Row:1:Column:8"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2024-01-01T00:00:00Z'", "INVALID_FIELD", "must be of type dateTime and should not be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Account WHERE Name = 'a\\q'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "offset"),
        ("SELECT Id FROM Account WHERE Owner.Nothing = 'a'", "INVALID_FIELD", "No such column 'Nothing' on entity 'User'"),
        ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY", "unexpected token: 'ALL'"),
        ("SELECT Message__c FROM Ping__e", "INVALID_TYPE_FOR_OPERATION", "does not support query"),
    ])
    func refusals(query: String, code: String, message: String) async throws {
        try await withOrg { client in
            let answer = try await client.query(query)
            #expect(answer.status == 400)
            #expect(answer.errorCode == code)
            #expect((answer.list.first?["message"] as? String ?? "").contains(message), "\(answer.text)")
        }
    }

    @Test("pages of the size asked for, to the last record, once each")
    func pages() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "generate", #"{"object": "Opportunity", "count": 950, "fields": {"Name": "Generated {n}"}}"#)
            var answer = try await client.query("SELECT Id FROM Opportunity ORDER BY Id", headers: ["Sforce-Query-Options": "batchSize=400"])
            var ids: [String] = []
            var sizes: [Int] = []
            while true {
                let records = answer.object["records"] as? [[String: Any]] ?? []
                ids += records.compactMap { $0["Id"] as? String }
                sizes.append(records.count)
                #expect(answer.object["totalSize"] as? Int == 995)
                guard let next = answer.object["nextRecordsUrl"] as? String else { break }
                #expect(next.hasPrefix("/services/data/v62.0/query/"))
                answer = try await client.send("GET", next, headers: ["Sforce-Query-Options": "batchSize=400"])
            }
            #expect(sizes == [400, 400, 195])
            #expect(answer.object["done"] as? Bool == true)
            #expect(Set(ids).count == 995)
            #expect(ids == ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            #expect(try await client.send("GET", "/services/data/v62.0/query/01gxx0000004h3EAAQ-400").errorCode == "INVALID_QUERY_LOCATOR")
        }
    }

    @Test("counts, aggregates, parents and deleted records")
    func shapes() async throws {
        try await withOrg { client in
            let count = try await client.query("SELECT COUNT() FROM Account")
            #expect(count.object["totalSize"] as? Int == 40)
            #expect((count.object["records"] as? [Any])?.isEmpty == true)
            let aggregate = try await client.query("SELECT MAX(SystemModstamp) latest, COUNT(Id) FROM Account")
            let row = try #require((aggregate.object["records"] as? [[String: Any]])?.first)
            #expect((row["attributes"] as? [String: Any])?["type"] as? String == "AggregateResult")
            #expect(row["expr0"] as? Int == 40)
            #expect((row["latest"] as? String)?.hasSuffix(".000+0000") == true)
            let parents = try await client.query("SELECT Account.Name, LastName FROM Contact WHERE ExternalId__c = 'C-0001'")
            let contact = try #require((parents.object["records"] as? [[String: Any]])?.first)
            #expect((contact["Account"] as? [String: Any])?["Name"] as? String == "Café \"Noir\" 2")
            let id = try #require(try await client.column("SELECT Id FROM Account LIMIT 1").first)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            #expect(try await client.column("SELECT Id FROM Account WHERE Id = '\(id)'") == [])
            #expect(try await client.column("SELECT Id FROM Account WHERE Id = '\(id.prefix(15))' AND IsDeleted = true", all: true) == [id])
            let again = try await client.rest("DELETE", "sobjects/Account/\(id)")
            #expect(again.status == 404)
            #expect(again.errorCode == "ENTITY_IS_DELETED")
        }
    }
}
