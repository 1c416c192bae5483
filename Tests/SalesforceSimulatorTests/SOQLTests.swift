import Foundation
import Testing

@Suite("SOQL beyond one table")
struct SOQLTests {
    private static func records(_ answer: Answer) -> [[String: Any]] { answer.object["records"] as? [[String: Any]] ?? [] }

    @Test("children: null when there are none, pages of their own, parents' pages short")
    func children() async throws {
        try await withOrg { client in
            let account = try #require(try await client.column("SELECT Id FROM Account WHERE ExternalId__c = 'A-0001'").first)
            _ = try await client.control("POST", "generate", #"{"object": "Opportunity", "count": 350, "fields": {"Name": "Child {n}", "AccountId": "\#(account)", "StageName": "Proposal", "CloseDate": "2026-01-01"}}"#)
            _ = try await client.control("POST", "records/Account", #"{"records": [{"Name": "Childless", "ExternalId__c": "none"}]}"#)
            let answer = try await client.query(
                "SELECT Name, (SELECT Id, Account.Name FROM Opportunities WHERE Name LIKE 'Child %' ORDER BY Name LIMIT 300), (SELECT Id FROM Contacts) FROM Account WHERE ExternalId__c IN ('A-0001', 'none') ORDER BY ExternalId__c",
                headers: ["Sforce-Query-Options": "batchSize=200"])
            #expect(answer.object["totalSize"] as? Int == 2)
            #expect(Self.records(answer).count == 1)
            let set = try #require(Self.records(answer).first?["Opportunities"] as? [String: Any])
            #expect(set["totalSize"] as? Int == 300)
            #expect(set["done"] as? Bool == false)
            let first = set["records"] as? [[String: Any]] ?? []
            #expect(first.count == 200)
            #expect((first.first?["attributes"] as? [String: Any])?["type"] as? String == "Opportunity")
            #expect((first.first?["Account"] as? [String: Any])?["Name"] as? String == "Bright & Sons 1")
            let rest = try await client.send("GET", try #require(set["nextRecordsUrl"] as? String), headers: ["Sforce-Query-Options": "batchSize=200"])
            #expect(Self.records(rest).count == 100)
            #expect(rest.object["done"] as? Bool == true)
            let next = try await client.send("GET", try #require(answer.object["nextRecordsUrl"] as? String))
            let childless = try #require(Self.records(next).first)
            #expect(childless["Name"] as? String == "Childless")
            #expect(childless["Opportunities"] is NSNull)
            #expect(childless["Contacts"] is NSNull)
        }
    }

    @Test("semi-joins, both ways, and their refusals")
    func semiJoins() async throws {
        try await withOrg { client in
            let id = try #require(try await client.column("SELECT AccountId FROM Contact WHERE ExternalId__c = 'C-0001'").first)
            #expect(try await client.column("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE ExternalId__c = 'c-0001')") == [id])
            #expect(try await client.column("SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact WHERE ExternalId__c = 'C-0001')").count == 39)
            #expect(try await client.column("SELECT ExternalId__c FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE Id = '\(id)') AND ExternalId__c = 'C-0001'") == ["C-0001"])
            for (query, message) in [
                ("SELECT Id FROM Account WHERE Id IN (SELECT OwnerId FROM Contact)", "should point to the same object type"),
                ("SELECT Id FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Contact)", "not allowed with the 'OR' operator"),
                ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE AccountId IN (SELECT Id FROM Account))", "Nesting of semi join"),
                ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId, Id FROM Contact)", "exactly one field"),
            ] {
                let answer = try await client.query(query)
                #expect(answer.errorCode == "MALFORMED_QUERY")
                #expect(answer.text.contains(message), "\(answer.text)")
            }
        }
    }

    @Test("groups: names, aliases, HAVING, order, dates, sums and means")
    func groups() async throws {
        try await withOrg { client in
            let answer = try await client.query("SELECT Industry, COUNT(Id), SUM(NumberOfEmployees) staff FROM Account WHERE ExternalId__c != null GROUP BY Industry HAVING COUNT(Id) >= 8 ORDER BY Industry LIMIT 2")
            let rows = Self.records(answer)
            #expect(answer.object["totalSize"] as? Int == 2)
            #expect(rows.map { $0["Industry"] as? String } == ["Banking", "Education"])
            #expect(rows.map { $0["expr0"] as? Int } == [8, 8])
            // Multiples of 5 up to 40, then those one below, each times 7.
            #expect(rows.map { $0["staff"] as? Int } == [1_260, 1_204])
            #expect(rows.allSatisfy { ($0["attributes"] as? [String: String]) == ["type": "AggregateResult"] })
            let mean = Self.records(try await client.query("SELECT AVG(NumberOfEmployees) a, COUNT_DISTINCT(Industry) c, MIN(Name) FROM Account")).first
            #expect(mean?["a"] as? Double == 143.5)
            #expect(mean?["c"] as? Int == 5)
            #expect(mean?["expr0"] as? String == "Acme 10")
            let months = Self.records(try await client.query("SELECT CALENDAR_MONTH(CloseDate) m, COUNT(Id) FROM Opportunity GROUP BY CALENDAR_MONTH(CloseDate) ORDER BY CALENDAR_MONTH(CloseDate)"))
            #expect(months.map { $0["m"] as? Int } == Array(1...12))
            for query in ["SELECT Name, COUNT(Id) FROM Account", "SELECT Name, COUNT(Id) FROM Account GROUP BY Industry", "SELECT SUM(Name) FROM Account", "SELECT Name n FROM Account"] {
                #expect(try await client.query(query).errorCode == "MALFORMED_QUERY", "\(query)")
            }
        }
    }

    @Test("date literals count from the org's clock, in whole days", arguments: [
        ("CloseDate = TODAY", ["11"]), ("CloseDate = YESTERDAY", ["10"]), ("CloseDate < TODAY", ["old", "feb", "sun", "10"]), ("CloseDate > TODAY", ["12", "apr"]),
        ("CloseDate = LAST_N_DAYS:1", ["10", "11"]), ("CloseDate = NEXT_N_DAYS:1", ["12"]), ("CloseDate = N_DAYS_AGO:1", ["10"]),
        ("CloseDate = THIS_WEEK", ["sun", "10", "11", "12"]), ("CloseDate = LAST_MONTH", ["feb"]), ("CloseDate = THIS_MONTH", ["sun", "10", "11", "12"]),
        ("CloseDate = THIS_QUARTER", ["feb", "sun", "10", "11", "12"]), ("CloseDate = NEXT_QUARTER", ["apr"]), ("CloseDate = LAST_YEAR", ["old"]),
        ("CloseDate >= LAST_N_MONTHS:2 AND CloseDate <= TODAY", ["feb", "sun", "10", "11"]), ("CloseDate != THIS_YEAR", ["old"]),
        ("CloseDate IN (YESTERDAY, TOMORROW)", ["10", "12"]), ("CreatedDate = TODAY", ["old", "feb", "sun", "10", "11", "12", "apr"]), ("CreatedDate < TODAY", []),
    ])
    func dates(condition: String, expected: [String]) async throws {
        try await withOrg { client in
            // A Wednesday.
            _ = try await client.control("POST", "clock", #"{"now": "2026-03-11T23:59:00Z"}"#)
            let dates = [("old", "2025-12-31"), ("feb", "2026-02-28"), ("sun", "2026-03-08"), ("10", "2026-03-10"), ("11", "2026-03-11"), ("12", "2026-03-12"), ("apr", "2026-04-01")]
            let rows = dates.map { #"{"Name": "D", "StageName": "Proposal", "ExternalId__c": "\#($0.0)", "CloseDate": "\#($0.1)"}"# }.joined(separator: ",")
            _ = try await client.control("POST", "records/Opportunity", "{\"records\": [\(rows)]}")
            #expect(try await client.column("SELECT ExternalId__c FROM Opportunity WHERE Name = 'D' AND \(condition) ORDER BY CloseDate") == expected)
        }
    }

    @Test("a polymorphic reference tells the name and type of either parent")
    func polymorphic() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects", #"{"name": "Note__c", "fields": [{"name": "What__c", "type": "reference", "referenceTo": ["Account", "Contact"], "relationshipName": "What__r"}]}"#)
            let account = try #require(try await client.column("SELECT Id FROM Account WHERE ExternalId__c = 'A-0001'").first)
            let contact = try #require(try await client.column("SELECT Id FROM Contact WHERE ExternalId__c = 'C-0001'").first)
            _ = try await client.control("POST", "records/Note__c", #"{"records": [{"Name": "1", "What__c": "\#(account)"}, {"Name": "2", "What__c": "\#(contact)"}, {"Name": "3"}]}"#)
            let rows = Self.records(try await client.query("SELECT What__r.Name, What__r.Type FROM Note__c ORDER BY Name"))
            #expect(rows.map { ($0["What__r"] as? [String: Any])?["Name"] as? String } == ["Bright & Sons 1", "Bo Person 1", nil])
            #expect(rows.map { ($0["What__r"] as? [String: Any])?["Type"] as? String } == ["Account", "Contact", nil])
            let types = rows.map { (($0["What__r"] as? [String: Any])?["attributes"] as? [String: Any])?["type"] as? String }
            #expect(types == ["Account", "Contact", nil])
            #expect(rows[2]["What__r"] is NSNull)
            #expect(try await client.column("SELECT Name FROM Note__c WHERE What__r.Type = 'Contact'") == ["2"])
            #expect(try await client.query("SELECT What__r.Industry FROM Note__c").text.contains("No such column 'Industry' on entity 'Name'"))
            let owned = Self.records(try await client.query("SELECT Owner.Type FROM Account LIMIT 1")).first
            #expect((owned?["Owner"] as? [String: Any])?["Type"] as? String == "User")
        }
    }

    @Test("five levels of parents, a backslash in LIKE, ids of 15 and of 18 with wrong check characters")
    func details() async throws {
        try await withOrg { client in
            #expect(try await client.query("SELECT Parent.Parent.Parent.Parent.Parent.Name FROM Account LIMIT 1").status == 200)
            #expect(try await client.query("SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account").errorCode == "MALFORMED_QUERY")
            _ = try await client.control("POST", "records/Account", #"{"records": [{"Name": "back\\slash%x"}, {"Name": "back/slash x"}]}"#)
            #expect(try await client.column(#"SELECT Name FROM Account WHERE Name LIKE 'back\\%'"#) == [#"back\slash%x"#])
            #expect(try await client.column(#"SELECT Name FROM Account WHERE Name LIKE 'back_slash\%x'"#) == [#"back\slash%x"#])
            #expect(try await client.column(#"SELECT Name FROM Account WHERE Name = 'back\\slash\%x'"#) == [#"back\slash%x"#])
            let id = try #require(try await client.column("SELECT Id FROM Account LIMIT 1").first)
            #expect(try await client.column("SELECT a.Id FROM Account a WHERE a.Id = '\(id.prefix(15))'") == [id])
            #expect(try await client.column("SELECT Id FROM Account WHERE Id = '\(id.prefix(15))ZZZ'") == [id])
            #expect(try await client.query("SELECT Id FROM Account WHERE Id = 'nonsense'").text.contains("invalid ID field: nonsense"))
            #expect(try await client.column("SELECT COUNT(Id) FROM Account WHERE AnnualRevenue > USD49000000") == ["1"])
            #expect(try await client.column("SELECT toLabel(Industry) FROM Account WHERE ExternalId__c = 'A-0001'") == ["Energy"])
        }
    }

    @Test("too long, too deep, too many formulas; thousands of terms are none of these")
    func size() async throws {
        try await withOrg { client in
            // A query this long goes in a body.
            func send(_ query: String) async throws -> Answer { try await client.soap("<u:query><u:queryString>\(query)</u:queryString></u:query>") }
            #expect(try await send("SELECT Id FROM Account WHERE Name = '" + String(repeating: "x", count: 100_000) + "'").text.contains("SOQL statements cannot be longer than 100000 characters"))
            #expect(try await send("SELECT Id FROM Account WHERE Name = '" + String(repeating: "x", count: 4_001) + "'").text.contains("MALFORMED_QUERY"))
            #expect(try await send("SELECT Id FROM Account WHERE " + String(repeating: "(", count: 30_000) + "Name = 'x'").text.contains("<sf:exceptionCode>QUERY_TOO_COMPLICATED"))
            #expect(try await send("SELECT Id FROM Account WHERE " + (1...3_000).map { "Name = 'n\($0)'" }.joined(separator: " OR ")).text.contains("<size>0</size>"))
            #expect(try await send("SELECT Id FROM Account WHERE Name IN (" + (1...9_000).map { "'n\($0)'" }.joined(separator: ",") + ")").text.contains("<size>0</size>"))
            _ = try await client.control("PATCH", "settings", #"{"query": {"formulaCharacters": 30}}"#)
            #expect(try await client.query("SELECT Text_Formula__c FROM Everything__c").status == 200)
            #expect(try await client.query("SELECT Text_Formula__c FROM Everything__c WHERE Text_Formula__c = 'x'").errorCode == "QUERY_TOO_COMPLICATED")
        }
    }

    @Test("FIELDS by scope, and its limit")
    func fields() async throws {
        try await withOrg { client in
            let custom = try #require(Self.records(try await client.query("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")).first)
            #expect(Set(custom.keys) == ["attributes", "ExternalId__c", "Checked__c"])
            #expect(try await client.query("SELECT FIELDS(STANDARD) FROM Account").status == 200)
            for query in ["SELECT FIELDS(ALL) FROM Account", "SELECT FIELDS(ALL) FROM Account LIMIT 201", "SELECT FIELDS(SOME) FROM Account LIMIT 1"] {
                #expect(try await client.query(query).errorCode == "MALFORMED_QUERY")
            }
        }
    }
}
