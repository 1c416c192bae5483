import Foundation
import Testing

@Suite("Bulk queries")
struct BulkTests {
    /// Waits for the job to leave its running states.
    private static func finish(_ client: OrgClient, _ id: String) async throws -> [String: Any] {
        while true {
            let job = try await client.rest("GET", "jobs/query/" + id).object
            guard ["UploadComplete", "InProgress"].contains(job["state"] as? String ?? "") else { return job }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func create(_ client: OrgClient, _ query: String) async throws -> String {
        let answer = try await client.rest("POST", "jobs/query", #"{"operation": "query", "query": "\#(query)"}"#)
        #expect(answer.object["state"] as? String == "UploadComplete", "\(answer.text)")
        #expect(answer.object["apiVersion"] as? Double == 62)
        return try #require(answer.object["id"] as? String)
    }

    @Test("2.0: pages with a header each, every value quoted, nothing lost between them", .timeLimit(.minutes(1)))
    func pages() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "records/Invoice__c", #"{"records": [{"Amount__c": 12345678.5, "Notes__c": "a \"quoted\", text\nwith 😀\r\nlines", "ExternalId__c": "special"}]}"#)
            _ = try await client.control("POST", "generate", ##"{"object": "Invoice__c", "count": 1200, "fields": {"ExternalId__c": "G{n:4}", "Notes__c": "line \"{n}\"\nnext"}}"##)
            let id = try await Self.create(client, "SELECT ExternalId__c, Notes__c, Amount__c, Paid__c, Due_Time__c, SystemModstamp, Account__r.Name FROM Invoice__c")
            let job = try await Self.finish(client, id)
            #expect(job["state"] as? String == "JobComplete")
            #expect(job["numberRecordsProcessed"] as? Int == 1251)
            let header = #""ExternalId__c","Notes__c","Amount__c","Paid__c","Due_Time__c","SystemModstamp","Account__r.Name""# + "\n"
            var locator: String? = ""
            var body = ""
            var counts: [String] = []
            while let current = locator {
                let page = try await client.rest("GET", "jobs/query/\(id)/results?maxRecords=600" + (current.isEmpty ? "" : "&locator=" + current))
                #expect(page.headers["content-type"] == "text/csv")
                #expect(page.text.hasPrefix(header))
                body += page.text.dropFirst(header.count)
                counts.append(page.headers["sforce-numberofrecords"] ?? "")
                locator = page.headers["sforce-locator"] == "null" ? nil : page.headers["sforce-locator"]
            }
            #expect(counts == ["600", "600", "51"])
            #expect(body.contains("\"special\",\"a \"\"quoted\"\", text\nwith 😀\r\nlines\",\"1.23456785E7\",\"false\",\"\",\""))
            #expect(body.contains(#""I-0001","Invoice 1"# + "\r\nsecond line\",\"99.5\",\"false\",\"01:30:00.000Z\",\""))
            #expect((1...1_200).allSatisfy { body.contains("\"G\(String(format: "%04d", $0))\",\"line \"\"\($0)\"\"\nnext\"") })
            let links = try await client.rest("GET", "jobs/query/\(id)/resultPages")
            #expect((links.object["resultPages"] as? [Any])?.count == 1)
            #expect(links.object["done"] as? Bool == true)
        }
    }

    @Test("2.0: states, abort, delete, wrong version, refusals")
    func jobs() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"bulkDelayMilliseconds": 60000}"#)
            let slow = try await Self.create(client, "SELECT Id FROM Account")
            let early = try await client.rest("GET", "jobs/query/\(slow)/results")
            #expect(early.status == 400)
            #expect(early.errorCode == "INVALIDJOBSTATE")
            let aborted = try await client.rest("PATCH", "jobs/query/" + slow, #"{"state": "Aborted"}"#)
            #expect(aborted.object["state"] as? String == "Aborted")
            #expect(try await client.rest("DELETE", "jobs/query/" + slow).status == 204)
            #expect(try await client.rest("GET", "jobs/query/" + slow).status == 404)
            _ = try await client.control("PATCH", "settings", #"{"bulkDelayMilliseconds": 0}"#)
            let id = try await Self.create(client, "SELECT Id FROM Account")
            _ = try await Self.finish(client, id)
            var other = client
            other.version = "58.0"
            #expect(try await other.rest("GET", "jobs/query/\(id)/results").status == 409)
            other.version = "46.0"
            #expect(try await other.rest("POST", "jobs/query", #"{"operation": "query", "query": "SELECT Id FROM Account"}"#).status == 404)
            other.version = "57.0"
            #expect(try await other.rest("GET", "jobs/query/\(id)/resultPages").status == 404)
            _ = try await client.control("PATCH", "settings", #"{"limits": {"DailyBulkV2QueryJobs": 3}}"#)
            _ = try await Self.create(client, "SELECT Id FROM Account")
            let over = try await client.rest("POST", "jobs/query", #"{"operation": "query", "query": "SELECT Id FROM Account"}"#)
            #expect(over.errorCode == "EXCEEDEDQUOTA")
            #expect((try await client.rest("GET", "limits").object["DailyBulkV2QueryJobs"] as? [String: Int]) == ["Max": 3, "Remaining": 0])
            for (query, code) in [("SELECT COUNT() FROM Account", "API_ERROR"), ("SELECT BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED"), ("SELECT Id FROM Archive__b", "INVALIDENTITY"), ("SELECT Nope FROM Account", "INVALID_FIELD")] {
                #expect(try await client.rest("POST", "jobs/query", #"{"operation": "query", "query": "\#(query)"}"#).errorCode == code)
            }
        }
    }

    @Test("a truncated result breaks off")
    func truncation() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "generate", #"{"object": "Account", "count": 5000, "fields": {"Name": "Generated {n}"}}"#)
            let id = try await Self.create(client, "SELECT Id, Name FROM Account")
            _ = try await Self.finish(client, id)
            _ = try await client.control("POST", "faults", #"{"kind": "truncate", "match": {"family": "bulk2", "operation": "results"}, "fraction": 0.5}"#)
            await #expect(throws: (any Error).self) { try await client.rest("GET", "jobs/query/\(id)/results") }
            #expect(try await client.rest("GET", "jobs/query/\(id)/results").headers["sforce-numberofrecords"] == "5040")
        }
    }

    @Test("1.0: one batch, and PK chunks that cover every record", .timeLimit(.minutes(1)))
    func bulk1() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "generate", #"{"object": "Account", "count": 960, "fields": {"Name": "Generated {n}"}}"#)
            let session = ["X-SFDC-Session": client.token]
            func post(_ path: String, _ body: String, type: String, headers: [String: String] = [:]) async throws -> Answer {
                try await client.send("POST", "/services/async/40.0/" + path, body: body, type: type, headers: session.merging(headers) { $1 })
            }
            func value(_ name: String, _ text: String) -> [String] {
                text.components(separatedBy: "<\(name)>").dropFirst().map { $0.components(separatedBy: "</")[0] }
            }
            let ns = "http://www.force.com/2009/06/asyncapi/dataload"
            let created = try await post(
                "job", "<jobInfo xmlns=\"\(ns)\"><operation>query</operation><object>Account</object><contentType>CSV</contentType></jobInfo>",
                type: "application/xml", headers: ["Sforce-Enable-PKChunking": "chunkSize=400"])
            #expect(created.status == 201)
            #expect(created.headers["content-type"] == "application/xml")
            let job = try #require(value("id", created.text).first)
            let batch = try await post("job/\(job)/batch", "SELECT Id, Name FROM Account", type: "text/csv")
            #expect(value("state", batch.text) == ["Queued"])
            var list = ""
            repeat {
                try await Task.sleep(for: .milliseconds(20))
                list = try await client.send("GET", "/services/async/40.0/job/\(job)/batch", headers: session).text
            } while list.contains("Queued") || list.contains("InProgress")
            #expect(value("state", list) == ["NotProcessed", "Completed", "Completed", "Completed"])
            var ids: Set<String> = []
            for id in value("id", list).dropFirst() {
                let results = try await client.send("GET", "/services/async/40.0/job/\(job)/batch/\(id)/result", headers: session)
                let result = try #require(value("result", results.text).first)
                let csv = try await client.send("GET", "/services/async/40.0/job/\(job)/batch/\(id)/result/\(result)", headers: session)
                #expect(csv.headers["content-type"] == "text/csv")
                for line in csv.text.split(separator: "\n").dropFirst() { ids.insert(String(line.prefix(20))) }
            }
            #expect(ids.count == 1_000)
            let json = try await post("job", #"{"operation": "query", "object": "Account", "contentType": "CSV", "concurrencyMode": 0}"#, type: "application/json")
            #expect(json.object["state"] as? String == "Open")
            let second = try #require(json.object["id"] as? String)
            let empty = try await post("job/\(second)/batch", "SELECT Id FROM Account WHERE Name = 'nobody'", type: "text/csv")
            let emptyBatch = try #require(value("id", empty.text).first)
            var results = Answer(status: 400, headers: [:], body: Data())
            while results.status != 200 {
                try await Task.sleep(for: .milliseconds(20))
                results = try await client.send("GET", "/services/async/40.0/job/\(second)/batch/\(emptyBatch)/result", headers: session)
            }
            let result = try #require(value("result", results.text).first)
            #expect(try await client.send("GET", "/services/async/40.0/job/\(second)/batch/\(emptyBatch)/result/\(result)", headers: session).text == "Records not found for this query")
        }
    }
}
