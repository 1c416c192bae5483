import Foundation
import Testing

@Suite("faults of the org")
struct OrgFaultTests {
    private static func fault(_ client: OrgClient, _ body: String) async throws { _ = try await client.control("POST", "faults", body) }

    @Test("sessions end at the nth call: the caller's or all")
    func endSessions() async throws {
        try await withOrg(sample: false) { client in
            var other = client
            other.token = try #require(try await client.control("POST", "sessions", "{}").object["access_token"] as? String)
            try await Self.fault(client, #"{"kind": "endSessions", "sessions": "caller", "nth": 2}"#)
            #expect(try await client.rest("GET", "limits").status == 200)
            #expect(try await client.rest("GET", "limits").errorCode == "INVALID_SESSION_ID")
            #expect(try await other.rest("GET", "limits").status == 200)
            try await Self.fault(client, #"{"kind": "endSessions"}"#)
            #expect(try await other.soap("<u:getServerTimestamp/>").text.contains("sf:INVALID_SESSION_ID"))
        }
    }

    @Test("limits are refused with the text that tells which", arguments: [
        ("dailyLimit", "TotalRequests Limit exceeded."), ("concurrentLimit", "ConcurrentPerOrgLongTxn Limit exceeded."),
    ])
    func limits(kind: String, message: String) async throws {
        try await withOrg(sample: false) { client in
            try await Self.fault(client, #"{"kind": "\#(kind)", "times": 2}"#)
            let rest = try await client.rest("GET", "limits")
            #expect(rest.status == 403)
            #expect(rest.list.first?["message"] as? String == message)
            #expect(try await client.soap("<u:getServerTimestamp/>").text.contains("<faultstring>REQUEST_LIMIT_EXCEEDED: \(message)</faultstring>"))
        }
    }

    @Test("requests that run long leave no room for more")
    func concurrentLongRequests() async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("PATCH", "settings", #"{"service": {"concurrentLongRequests": 1, "longRequestSeconds": 0.1}}"#)
            try await Self.fault(client, #"{"kind": "delay", "when": "before", "milliseconds": 3000, "match": {"operation": "limits"}}"#)
            async let long = client.rest("GET", "limits")
            // Asked until the long one is at work: how soon that is depends on the machine.
            var message: String?
            for _ in 0..<200 where message == nil { message = try await client.rest("GET", "sobjects").list.first?["message"] as? String }
            #expect(message == "ConcurrentPerOrgLongTxn Limit exceeded.")
            let slow = try await long
            #expect(slow.status == 200)
            #expect(try await client.rest("GET", "sobjects").status == 200)
        }
    }

    @Test("a query that ran too long, and a locator that was forgotten")
    func queries() async throws {
        try await withOrg { client in
            try await Self.fault(client, #"{"kind": "queryTimeout", "match": {"operation": "query"}}"#)
            let late = try await client.query("SELECT Id FROM Account")
            #expect(late.status == 400)
            #expect(late.errorCode == "QUERY_TIMEOUT")
            _ = try await client.control("POST", "generate", #"{"object": "Account", "count": 500, "fields": {"Name": "g {n}"}}"#)
            let first = try await client.query("SELECT Id FROM Account", headers: ["Sforce-Query-Options": "batchSize=200"])
            let next = try #require(first.object["nextRecordsUrl"] as? String)
            try await Self.fault(client, #"{"kind": "closeCursors", "match": {"operation": "queryMore"}}"#)
            #expect(try await client.send("GET", next).errorCode == "INVALID_QUERY_LOCATOR")
        }
    }

    @Test("a page is dropped once, and whole when it is asked for again")
    func dropPage() async throws {
        try await withOrg { client in
            let query = "SELECT Id FROM Account"
            let total = try #require(try await client.query(query).object["totalSize"] as? Int)
            try await Self.fault(client, #"{"kind": "dropPage", "match": {"operation": "query"}}"#)
            let dropped = try await client.query(query)
            #expect((dropped.object["records"] as? [Any])?.isEmpty == true)
            #expect(dropped.object["totalSize"] as? Int == total)
            let again = try await client.query(query).object["records"] as? [Any]
            #expect(again?.count == total)
            try await Self.fault(client, #"{"kind": "dropPage", "match": {"family": "soap"}}"#)
            let soap = try await client.soap("<u:query><u:queryString>\(query)</u:queryString></u:query>")
            #expect(soap.text.contains("<size>\(total)</size>"))
            #expect(!soap.text.contains("<records"))
            try await Self.fault(client, #"{"kind": "dropPage", "match": {"operation": "getUpdated"}}"#)
            let now = try #require(try await client.control("GET", "clock").object["now"] as? String)
            let day = try Date(now, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true)).addingTimeInterval(-86_400)
            let span = "start=\(OrgClient.encode(day.formatted(.iso8601)))&end=\(OrgClient.encode(now))"
            let lost = try await client.rest("GET", "sobjects/Account/updated?" + span)
            #expect((lost.object["ids"] as? [Any])?.isEmpty == true)
            #expect(lost.object["latestDateCovered"] is String)
            let found = try await client.rest("GET", "sobjects/Account/updated?" + span).object["ids"] as? [Any]
            #expect(found?.isEmpty == false)
            let id = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "short-lived"}"#).object["id"] as? String)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 120}"#)
            let later = try #require(try await client.control("GET", "clock").object["now"] as? String)
            let deletions = "sobjects/Account/deleted?start=\(OrgClient.encode(day.formatted(.iso8601)))&end=\(OrgClient.encode(later))"
            try await Self.fault(client, #"{"kind": "dropPage", "match": {"operation": "getDeleted"}}"#)
            #expect((try await client.rest("GET", deletions).object["deletedRecords"] as? [Any])?.isEmpty == true)
            let deleted = try await client.rest("GET", deletions).object["deletedRecords"] as? [[String: Any]]
            #expect(deleted?.map { $0["id"] as? String } == [id])
        }
    }

    @Test("the call log counts per API and operation, faults included")
    func counts() async throws {
        try await withOrg { client in
            _ = try await client.control("DELETE", "calls")
            for _ in 0..<3 { _ = try await client.query("SELECT Id FROM Account LIMIT 1") }
            _ = try await client.soap("<u:getServerTimestamp/>")
            try await Self.fault(client, #"{"kind": "unavailable", "match": {"operation": "limits"}}"#)
            #expect(try await client.rest("GET", "limits").status == 503)
            let document = try await client.control("GET", "counts").object
            #expect(document["counts"] as? [String: Int] == ["rest.query": 3, "soap.getServerTimestamp": 1, "rest.limits": 1])
            let calls = try await client.control("GET", "calls?operation=limits").list
            #expect(calls.map { $0["status"] as? Int } == [503])
            #expect(calls.first?["fault"] as? String == "unavailable")
        }
    }

    @Test("a page of a Bulk result is dropped once: its header stays")
    func dropBulkPage() async throws {
        try await withOrg { client in
            let job = try await client.rest("POST", "jobs/query", #"{"operation": "query", "query": "SELECT Id FROM Account"}"#)
            let id = try #require(job.object["id"] as? String)
            for _ in 0..<200 where try await client.rest("GET", "jobs/query/\(id)").object["state"] as? String != "JobComplete" {
                try await Task.sleep(for: .milliseconds(50))
            }
            try await Self.fault(client, #"{"kind": "dropPage", "match": {"operation": "results"}}"#)
            let lost = try await client.rest("GET", "jobs/query/\(id)/results")
            #expect(lost.text.split(separator: "\n").count == 1)
            #expect(try await client.rest("GET", "jobs/query/\(id)/results").text.split(separator: "\n").count > 1)
        }
    }

    @Test("an API version is retired in mid-run")
    func retireVersion() async throws {
        try await withOrg(sample: false) { client in
            try await Self.fault(client, #"{"kind": "retireVersion", "nth": 2, "match": {"operation": "limits"}}"#)
            #expect(try await client.rest("GET", "limits").status == 200)
            let gone = try await client.rest("GET", "limits")
            #expect(gone.status == 410)
            #expect(gone.errorCode == "UNSUPPORTED_API_VERSION")
            var newer = client
            newer.version = "63.0"
            #expect(try await newer.rest("GET", "limits").status == 200)
            #expect(try await client.rest("GET", "jobs/query").status == 410)
            #expect(try await newer.rest("GET", "jobs/query").status == 200)
            let soap = try await client.soap("<u:getServerTimestamp/>")
            #expect(soap.status == 500)
            #expect(soap.text.contains("<faultcode>sf:UNSUPPORTED_API_VERSION</faultcode>"))
            #expect(try await newer.soap("<u:getServerTimestamp/>").status == 200)
            let bulk = try await client.send("GET", "/services/async/62.0/job/750xx0000000001AAA", headers: ["X-SFDC-Session": client.token])
            #expect(bulk.status == 400)
            #expect(bulk.text.contains("<exceptionCode>InvalidVersion</exceptionCode>") || bulk.object["exceptionCode"] as? String == "InvalidVersion")
        }
    }

    @Test("a field is added, lengthened, retyped and removed; values are converted or lost")
    func fieldChanges() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Account/fields", #"{"name": "Code__c", "type": "string", "length": 5}"#)
            #expect(try await client.rest("POST", "sobjects/Account", #"{"Name": "n1", "Code__c": "12"}"#).status == 201)
            #expect(try await client.rest("POST", "sobjects/Account", #"{"Name": "n2", "Code__c": "abcdef"}"#).errorCode == "STRING_TOO_LONG")
            _ = try await client.control("PATCH", "objects/Account/fields/Code__c", #"{"length": 6}"#)
            #expect(try await client.rest("POST", "sobjects/Account", #"{"Name": "n2", "Code__c": "abcdef"}"#).status == 201)
            _ = try await client.control("PATCH", "objects/Account/fields/Code__c", #"{"type": "double", "precision": 10, "scale": 1}"#)
            #expect(try await client.column("SELECT Code__c FROM Account WHERE Name = 'n1'").map { Double($0) } == [12])
            #expect(try await client.column("SELECT Code__c FROM Account WHERE Name = 'n2'") == ["null"])
            #expect(try await client.column("SELECT Name FROM Account WHERE Code__c > 11.5") == ["n1"])
            _ = try await client.control("DELETE", "objects/Account/fields/Code__c")
            #expect(try await client.query("SELECT Code__c FROM Account").errorCode == "INVALID_FIELD")
        }
    }

    @Test("control calls happen at the nth call: a field goes, the clock moves")
    func control() async throws {
        try await withOrg { client in
            try await Self.fault(client, """
                {"kind": "control", "match": {"operation": "query"}, "calls": [{"method": "DELETE", "path": "objects/Account/fields/Fax"},
                {"path": "clock", "body": {"now": "2031-01-01T00:00:00Z"}}]}
                """)
            #expect(try await client.query("SELECT Fax FROM Account").errorCode == "INVALID_FIELD")
            #expect(try await client.rest("GET", "limits").headers["date"]?.contains("2031") == true)
        }
    }

    @Test("the org moves: the old address answers so, logins name the new one", arguments: [
        ("redirect", 301), ("ORG_NOT_OWNED_BY_INSTANCE", 400), ("INVALID_SESSION_ID", 401),
    ])
    func instance(answer: String, status: Int) async throws {
        try await withOrg(sample: false) { client in
            let address = try #require(try await client.control("POST", "instance", #"{"answer": "\#(answer)"}"#).object["instance_url"] as? String)
            #expect(address != client.base)
            let old = try await client.rest("GET", "limits")
            #expect(old.status == status)
            if status == 301 { #expect(old.headers["location"] == address + "/services/data/v62.0/limits") } else { #expect(old.errorCode == answer) }
            let token = try await TokenForm.post(client, TokenForm.clientCredentials)
            #expect(token.object["instance_url"] as? String == address)
            let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
            var moved = OrgClient(port: port)
            moved.token = try #require(token.object["access_token"] as? String)
            #expect(try await moved.rest("GET", "limits").status == 200)
        }
    }

    @Test("reads lag: new, changed and deleted records are seen late, and as they were")
    func readLag() async throws {
        try await withOrg { client in
            let kept = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "kept", "Phone": "1"}"#).object["id"] as? String)
            let gone = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "gone"}"#).object["id"] as? String)
            _ = try await client.control("PATCH", "settings", #"{"service": {"visibilityDelayMilliseconds": 60000}}"#)
            _ = try await client.rest("PATCH", "sobjects/Account/\(kept)", #"{"Phone": "2"}"#)
            _ = try await client.rest("DELETE", "sobjects/Account/\(gone)")
            _ = try await client.rest("POST", "sobjects/Account", #"{"Name": "fresh"}"#)
            #expect(try await client.column("SELECT Phone FROM Account WHERE Name = 'kept'") == ["1"])
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'gone'") == [gone])
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'fresh'").isEmpty)
            #expect(try await client.rest("GET", "sobjects/Account/\(kept)").object["Phone"] as? String == "2")
            _ = try await client.control("PATCH", "settings", #"{"service": {"visibilityDelayMilliseconds": 1}}"#)
            try await Task.sleep(for: .milliseconds(50))
            #expect(try await client.column("SELECT Phone FROM Account WHERE Name = 'kept'") == ["2"])
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'gone'").isEmpty)
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'fresh'").count == 1)
        }
    }
}
