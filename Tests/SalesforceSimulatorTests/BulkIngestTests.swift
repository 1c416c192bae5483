import Foundation
import Testing

/// Bulk API 2.0 ingest as the wire reference tells it in 4.2 and 4.4.
@Suite("Bulk 2.0 ingest")
struct BulkIngestTests {
    /// Makes a job, gives it its rows and closes it.
    static func start(_ client: OrgClient, _ operation: String, _ object: String, _ csv: String, _ more: String = "") async throws -> String {
        let created = try await client.rest("POST", "jobs/ingest", #"{"object": "\#(object)", "operation": "\#(operation)", "contentType": "CSV"\#(more)}"#)
        let id = try #require(created.object["id"] as? String, "\(created.text)")
        let put = try await client.send("PUT", "/services/data/v62.0/jobs/ingest/\(id)/batches", body: csv, type: "text/csv")
        #expect(put.status == 201, "\(put.text)")
        #expect(put.body.isEmpty)
        #expect(try await client.rest("PATCH", "jobs/ingest/" + id, #"{"state": "UploadComplete"}"#).object["state"] as? String == "UploadComplete")
        return id
    }

    static func finish(_ client: OrgClient, _ id: String) async throws -> [String: Any] {
        for _ in 0..<1_000 {
            let job = try await client.rest("GET", "jobs/ingest/" + id).object
            if ["JobComplete", "Failed", "Aborted"].contains(job["state"] as? String) { return job }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the job does not end")
        return [:]
    }

    /// Waits for something that comes within 20 s at the latest.
    static func until(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<1_000 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("it does not come")
    }

    static func run(_ client: OrgClient, _ operation: String, _ object: String, _ csv: String, _ more: String = "") async throws -> (id: String, job: [String: Any]) {
        let id = try await start(client, operation, object, csv, more)
        return (id, try await finish(client, id))
    }

    static func lines(_ client: OrgClient, _ id: String, _ result: String) async throws -> [String] {
        let answer = try await client.rest("GET", "jobs/ingest/\(id)/\(result)")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.headers["content-type"] == "text/csv")
        return answer.text.split(separator: "\n").map(String.init)
    }

    @Test("a job answers its own address, takes one upload, counts its rows, and gives them back as sent but in another order")
    func job() async throws {
        try await withOrg { client in
            let created = try await client.rest(
                "POST", "jobs/ingest", #"{"object": "account", "operation": "upsert", "externalIdFieldName": "externalid__c", "contentType": "CSV", "lineEnding": "LF"}"#)
            #expect(created.status == 200)
            let id = try #require(created.object["id"] as? String)
            #expect(created.object["contentUrl"] as? String == "services/data/v62.0/jobs/ingest/\(id)/batches")
            #expect(created.text.contains("\"apiVersion\":62.0"))
            #expect(created.object["object"] as? String == "Account")
            #expect(created.object["externalIdFieldName"] as? String == "ExternalId__c")
            #expect((created.object["createdDate"] as? String)?.hasSuffix(".000+0000") == true)
            #expect(created.object["state"] as? String == "Open")
            #expect(created.object["jobType"] == nil)
            let rows = (1...300).map { #"X-\#($0),"Row ""\#($0)""""# }
            let csv = "ExternalId__c,Name\nA-0001,Changed\nbad,\n" + rows.joined(separator: "\n")
            // With a slash at the end, as one client sends it.
            let path = "/services/data/v62.0/jobs/ingest/\(id)/batches/"
            #expect(try await client.send("PUT", path, body: csv, type: "text/csv; charset=UTF-8").status == 201)
            #expect(try await client.send("PUT", path, body: csv, type: "text/csv").errorCode == "INVALIDBATCH")
            #expect(try await client.rest("PATCH", "jobs/ingest/" + id, #"{"state": "UploadComplete"}"#).status == 200)
            #expect(try await client.send("PUT", path, body: csv, type: "text/csv").errorCode == "INVALIDJOBSTATE")
            let job = try await Self.finish(client, id)
            #expect(job["state"] as? String == "JobComplete")
            #expect(job["jobType"] as? String == "V2Ingest")
            #expect(job["numberRecordsProcessed"] as? Int == 302)
            #expect(job["numberRecordsFailed"] as? Int == 1)
            #expect(Set(job.keys).isSuperset(of: ["retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"]))
            let successful = try await Self.lines(client, id, "SUCCESSFULresults/")
            #expect(successful.first == #""sf__Id","sf__Created",ExternalId__c,Name"#)
            #expect(successful.count == 302)
            #expect(successful.contains { $0.hasPrefix("\"001") && $0.hasSuffix("\"false\",A-0001,Changed") })
            let echoes = successful.dropFirst().filter { $0.contains(",\"true\",") }.map { $0.components(separatedBy: ",\"true\",")[1] }
            #expect(Set(echoes) == Set(rows))
            #expect(echoes != rows)
            #expect(try await Self.lines(client, id, "failedResults") == [
                #""sf__Id","sf__Error",ExternalId__c,Name"#,
                #""","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",bad,"#,
            ])
            #expect(try await Self.lines(client, id, "unprocessedRecords/") == ["ExternalId__c,Name"])
            #expect(try await client.column("SELECT Name FROM Account WHERE ExternalId__c = 'X-7'") == ["Row \"7\""])
        }
    }

    @Test("a multipart job starts with its content")
    func multipart() async throws {
        try await withOrg { client in
            let body = [
                "--B", "Content-Disposition: form-data; name=\"job\"", "Content-Type: application/json", "",
                #"{"object": "Account", "operation": "insert", "contentType": "CSV"}"#, "--B",
                "Content-Disposition: form-data; name=\"content\"; filename=\"c.csv\"", "Content-Type: text/csv", "", "Name\nFrom a part\n", "--B--", "",
            ].joined(separator: "\r\n")
            let created = try await client.send("POST", "/services/data/v62.0/jobs/ingest", body: body, type: "multipart/form-data; boundary=B")
            #expect(created.object["state"] as? String == "UploadComplete")
            let id = try #require(created.object["id"] as? String)
            #expect(try await Self.finish(client, id)["numberRecordsProcessed"] as? Int == 1)
            #expect(try await client.column("SELECT Name FROM Account WHERE Name = 'From a part'") == ["From a part"])
            let long = body.replacing("From a part", with: String(repeating: "x", count: 100_000))
            #expect(try await client.send("POST", "/services/data/v62.0/jobs/ingest", body: long, type: "multipart/form-data; boundary=B").status == 400)
        }
    }

    @Test("gzip is taken, an upload over the bound is not")
    func uploads() async throws {
        try await withOrg { client in
            let zipped = try #require(Data(base64Encoded: "H4sIAAAAAAACA/NLzE3Vca0oSS3KS8zxTImPT+aKyiwoSE3RidI15AIA4hulzB4AAAA="))
            let created = try await client.rest("POST", "jobs/ingest", #"{"object": "Account", "operation": "insert"}"#)
            let id = try #require(created.object["id"] as? String)
            let path = "/services/data/v62.0/jobs/ingest/\(id)/batches"
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"uploadBytes": 39}}"#)
            #expect(try await client.send("PUT", path, body: "Name\n1234567890123456789012345", type: "text/csv").errorCode == "CLIENTINPUTERROR")
            #expect(try await client.send("PUT", path, body: "Name", type: "application/json").errorCode == "INVALIDBATCH")
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"uploadBytes": 150000000}}"#)
            #expect(try await client.send("PUT", path, data: zipped, type: "text/csv", headers: ["Content-Encoding": "gzip"]).status == 201)
            _ = try await client.rest("PATCH", "jobs/ingest/" + id, #"{"state": "UploadComplete"}"#)
            _ = try await Self.finish(client, id)
            #expect(try await client.column("SELECT Name FROM Account WHERE ExternalId__c = 'Z-1'") == ["Zipped"])
        }
    }

    @Test("states take time, and only some changes of state are allowed")
    func states() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"queueMilliseconds": 60000}}"#)
            let waiting = try await Self.start(client, "insert", "Account", "Name\nNever\n")
            #expect(try await client.rest("GET", "jobs/ingest/" + waiting).object["state"] as? String == "UploadComplete")
            #expect(try await client.rest("GET", "jobs/ingest/\(waiting)/successfulResults").errorCode == "INVALIDJOBSTATE")
            #expect(try await client.rest("PATCH", "jobs/ingest/" + waiting, #"{"state": "UploadComplete"}"#).errorCode == "INVALIDJOBSTATE")
            #expect(try await client.rest("PATCH", "jobs/ingest/" + waiting, #"{"state": "Aborted"}"#).object["state"] as? String == "Aborted")
            #expect(try await client.rest("PATCH", "jobs/ingest/" + waiting, #"{"state": "Aborted"}"#).errorCode == "INVALIDJOBSTATE")
            #expect(try await client.rest("DELETE", "jobs/ingest/" + waiting).status == 204)
            #expect(try await client.rest("GET", "jobs/ingest/" + waiting).status == 404)
            _ = try await client.control("PATCH", "settings", #"{"bulkDelayMilliseconds": 60000, "bulk": {"queueMilliseconds": 0}}"#)
            let running = try await Self.start(client, "insert", "Account", "Name\nNever\n")
            try await Self.until { try await client.rest("GET", "jobs/ingest/" + running).object["state"] as? String == "InProgress" }
            #expect(try await client.rest("DELETE", "jobs/ingest/" + running).errorCode == "INVALIDJOBSTATE")
            let open = try await client.rest("POST", "jobs/ingest", #"{"object": "Account", "operation": "insert"}"#)
            #expect(try await client.rest("DELETE", "jobs/ingest/\(open.object["id"] ?? "")").errorCode == "INVALIDJOBSTATE")
            #expect(try await client.rest("PATCH", "jobs/ingest/\(open.object["id"] ?? "")", #"{"state": "Closed"}"#).errorCode == "INVALIDJOB")
            var old = client
            old.version = "40.0"
            #expect(try await old.rest("POST", "jobs/ingest", #"{"object": "Account", "operation": "insert"}"#).status == 404)
        }
    }

    @Test("the list has pages and filters; jobs of Bulk 1.0 are Classic")
    func list() async throws {
        try await withOrg { client in
            for _ in 0..<5 { _ = try await client.rest("POST", "jobs/ingest", #"{"object": "Account", "operation": "insert"}"#) }
            _ = try await client.send(
                "POST", "/services/async/62.0/job", body: #"{"operation": "insert", "object": "Contact", "contentType": "CSV", "concurrencyMode": "Serial"}"#,
                headers: ["X-SFDC-Session": client.token])
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"listPage": 2}}"#)
            var next: String? = "/services/data/v62.0/jobs/ingest?jobType=V2Ingest&isPkChunkingEnabled=false"
            var ids: [String] = []
            var pages = 0
            while let path = next {
                let page = try await client.send("GET", path).object
                let records = page["records"] as? [[String: Any]] ?? []
                #expect(records.allSatisfy { $0["jobType"] as? String == "V2Ingest" })
                ids += records.compactMap { $0["id"] as? String }
                next = page["nextRecordsUrl"] as? String
                #expect(page["done"] as? Bool == (next == nil))
                pages += 1
            }
            #expect(Set(ids).count == 5)
            #expect(pages == 3)
            let classic = try await client.rest("GET", "jobs/ingest?concurrencyMode=serial").object["records"] as? [[String: Any]] ?? []
            #expect(classic.map { $0["jobType"] as? String } == ["Classic"])
        }
    }

    @Test("empty leaves a field alone and #N/A clears it; booleans, dates and times in their forms; CRLF and tabs")
    func values() async throws {
        try await withOrg { client in
            let format = #", "lineEnding": "CRLF", "columnDelimiter": "TAB", "externalIdFieldName": "ExternalId__c""#
            let names = ["ExternalId__c", "Name", "Text__c", "Checkbox__c", "Date__c", "Date_Time__c", "Time__c", "Number__c", "Account__r.ExternalId__c"]
            func csv(_ rows: [String]...) -> String { ([names] + rows).map { $0.joined(separator: "\t") }.joined(separator: "\r\n") + "\r\n" }
            let first = try await Self.run(client, "upsert", "Everything__c", csv(
                ["v1", "one", "\"two\nlines\"", "YES", "2024-01-31Z", "2024-01-31T12:00:00+01:00", "13:30:00.000Z", "1.5E2", "A-0001"],
                ["v2", "two", "kept", "1", "2024-01-31T00:00:00Z", "2024-01-31T12:00:00.000Z", "", "", ""],
                ["v3", "", "", "perhaps", "", "", "", "", ""], ["v4", "", "", "", "", "", "", "", "nobody"]), format)
            #expect(first.job["state"] as? String == "JobComplete", "\(first.job)")
            let failed = try await client.rest("GET", "jobs/ingest/\(first.id)/failedResults").text
            #expect(failed.contains("\"INVALID_TYPE_ON_FIELD_IN_RECORD:"))
            #expect(failed.contains("Foreign key external ID: nobody not found for field ExternalId__c in entity Account"))
            #expect(failed.hasSuffix("\r\n"))
            func record(_ id: String) async throws -> [String: Any] {
                let answer = try await client.query("SELECT Text__c, Checkbox__c, Date__c, Date_Time__c, Time__c, Number__c, Account__r.ExternalId__c FROM Everything__c WHERE ExternalId__c = '\(id)'")
                return (answer.object["records"] as? [[String: Any]])?.first ?? [:]
            }
            var one = try await record("v1")
            #expect(one["Text__c"] as? String == "two\nlines")
            #expect(one["Checkbox__c"] as? Bool == true)
            #expect(one["Date__c"] as? String == "2024-01-31")
            #expect(one["Date_Time__c"] as? String == "2024-01-31T11:00:00.000+0000")
            #expect(one["Time__c"] as? String == "13:30:00.000Z")
            #expect(one["Number__c"] as? Double == 150)
            #expect((one["Account__r"] as? [String: Any])?["ExternalId__c"] as? String == "A-0001")
            #expect(try await record("v2")["Date__c"] as? String == "2024-01-31")
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"defaultOffsetMinutes": -480}}"#)
            let second = try await Self.run(client, "upsert", "Everything__c", csv(
                ["v1", "", "#N/A", "no", "", "2024-01-31T04:00:00", "", "\"#N/A\"", "#N/A"], ["v2", "", "", "", "", "", "", "", ""]), format)
            #expect(second.job["numberRecordsFailed"] as? Int == 0)
            one = try await record("v1")
            #expect(one["Text__c"] is NSNull)
            #expect(one["Number__c"] is NSNull)
            #expect(one["Account__r"] is NSNull)
            #expect(one["Checkbox__c"] as? Bool == false)
            #expect(one["Date__c"] as? String == "2024-01-31")
            #expect(one["Date_Time__c"] as? String == "2024-01-31T12:00:00.000+0000")
            #expect(try await record("v2")["Text__c"] as? String == "kept")
        }
    }

    @Test("errorMessage tells what stopped a job before its first row", arguments: [
        ("insert", "Contact", "LastName,Nope__c,Worse__c\na,b,c\n", "InvalidBatch : Field name not found : Nope__c"),
        ("insert", "Account", "\u{FEFF}Name\na\n", "InvalidBatch : Field name not found : \u{FEFF}Name"),
        ("insert", "Account", "Name,Description\na,\"b\r\nc\"\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("delete", "Account", "Id,Name\n001xx0000000001AAA,a\n", "InvalidBatch : The 'delete' batch must contain only ids"),
        ("insert", "Contact", "LastName,Account:Account.ExternalId__c\na,A-0001\n", "InvalidBatch : Invalid foreign key reference : type is not needed for non polymorphic foreign key reference Account:Account.ExternalId__c"),
        ("insert", "Contact", "LastName,Account.Nope__c\na,A-0001\n", "InvalidBatch : Field name not found : Account.Nope__c"),
    ])
    func refusedHeaders(_ operation: String, _ object: String, _ csv: String, _ message: String) async throws {
        try await withOrg { client in
            let (id, job) = try await Self.run(client, operation, object, csv)
            #expect(job["state"] as? String == "Failed")
            #expect(job["errorMessage"] as? String == message)
            #expect(job["numberRecordsProcessed"] as? Int == 0)
            #expect(try await client.rest("GET", "jobs/ingest/\(id)/unprocessedrecords").text == csv)
        }
    }

    @Test("a CRLF job refuses LF lines")
    func lineEndings() async throws {
        try await withOrg { client in
            let (_, job) = try await Self.run(client, "insert", "Account", "Name\nx\n", #", "lineEnding": "CRLF""#)
            #expect(job["errorMessage"] as? String == "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF")
        }
    }

    @Test("a reference to several types needs the type before its column")
    func polymorphic() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects", """
                {"name": "Link__c", "fields": [{"name": "Target__c", "type": "reference", "referenceTo": ["Account", "Contact"], "relationshipName": "Target__r"}]}
                """)
            let (_, good) = try await Self.run(client, "insert", "Link__c", "Name,Contact:Target__r.ExternalId__c\nl,C-0001\n")
            #expect(good["state"] as? String == "JobComplete", "\(good)")
            #expect(good["numberRecordsFailed"] as? Int == 0)
            #expect(try await client.column("SELECT Target__c FROM Link__c") == client.column("SELECT Id FROM Contact WHERE ExternalId__c = 'C-0001'"))
            let (_, bad) = try await Self.run(client, "insert", "Link__c", "Name,Target__r.ExternalId__c\nl,C-0001\n")
            #expect((bad["errorMessage"] as? String)?.hasPrefix("InvalidBatch : Invalid foreign key reference : ") == true)
        }
    }

    @Test("a job that fails on its way keeps what it saved, and its three results hold every row once")
    func failure() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"workers": 1}}"#)
            let rows = (0..<500).map { $0 == 3 ? "F-3,\(String(repeating: "n", count: 300))" : "F-\($0),Name \($0)" }
            let (id, job) = try await Self.run(client, "insert", "Account", "ExternalId__c,Name\n" + rows.joined(separator: "\n") + "\nF-500,un\"escap\"ed\nF-501,never\n")
            #expect(job["state"] as? String == "Failed")
            #expect((job["errorMessage"] as? String)?.hasPrefix("InvalidBatch : ") == true)
            #expect(job["numberRecordsProcessed"] as? Int == 500)
            let successful = try await Self.lines(client, id, "successfulResults")
            let failed = try await Self.lines(client, id, "failedResults")
            let unprocessed = try await Self.lines(client, id, "unprocessedrecords")
            #expect(successful.count == 500)
            #expect(failed.count == 2)
            #expect(failed.last?.contains("STRING_TOO_LONG") == true)
            #expect(unprocessed == ["ExternalId__c,Name", "F-500,un\"escap\"ed", "F-501,never"])
            #expect(try await client.query("SELECT COUNT() FROM Account WHERE ExternalId__c LIKE 'F-%'").object["totalSize"] as? Int == 499)
        }
    }

    @Test("an aborted job keeps what it saved and names the rest")
    func aborted() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"chunkMilliseconds": 700, "workers": 1}}"#)
            let id = try await Self.start(client, "insert", "Account", "Name\n" + (0..<600).map { "Abort \($0)" }.joined(separator: "\n") + "\n")
            try await Self.until { try await client.rest("GET", "jobs/ingest/" + id).object["numberRecordsProcessed"] as? Int == 200 }
            #expect(try await client.rest("PATCH", "jobs/ingest/" + id, #"{"state": "Aborted"}"#).status == 200)
            try await Self.until { try await client.rest("GET", "jobs/ingest/\(id)/unprocessedrecords").status == 200 }
            let rest = try await Self.lines(client, id, "unprocessedrecords").count - 1
            let saved = try await Self.lines(client, id, "successfulResults").count - 1
            #expect(saved >= 200 && saved < 600)
            #expect(rest == 600 - saved)
            #expect(try await client.query("SELECT COUNT() FROM Account WHERE Name LIKE 'Abort %'").object["totalSize"] as? Int == saved)
        }
    }

    @Test("hardDelete needs its permission and leaves nothing in the bin; delete takes ids of its object only")
    func deletes() async throws {
        try await withOrg { client in
            let ids = try await client.column("SELECT Id FROM Contact ORDER BY Id LIMIT 3")
            let body = #"{"object": "Contact", "operation": "hardDelete"}"#
            let refused = try await client.rest("POST", "jobs/ingest", body)
            #expect(refused.errorCode == "FEATURENOTENABLED")
            #expect((refused.list.first?["message"] as? String)?.hasPrefix("hardDelete is not enabled") == true)
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"hardDeleteUsers": ["integration@example.com"]}}"#)
            let hard = try await Self.run(client, "hardDelete", "Contact", "Id\n\(ids[0])\n\(ids[1].prefix(15))\n")
            #expect(hard.job["numberRecordsFailed"] as? Int == 0, "\(hard.job)")
            let soft = try await Self.run(client, "delete", "Contact", "ID\n\(ids[2])\n001xx0000000001AAA\nnothing\n")
            #expect(soft.job["numberRecordsFailed"] as? Int == 2)
            let errors = try await client.rest("GET", "jobs/ingest/\(soft.id)/failedResults").text
            #expect(errors.contains("\"INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--\",001xx0000000001AAA"))
            #expect(errors.contains("\"MALFORMED_ID:"))
            #expect(try await client.column("SELECT Id FROM Contact WHERE IsDeleted = true", all: true) == [ids[2]])
            #expect(try await client.query("SELECT COUNT() FROM Account WHERE Id = '001xx0000000001AAA'").object["totalSize"] as? Int == 1)
        }
    }

    @Test("upsert by Id inserts rows without one; a job names what it cannot be made for")
    func upserts() async throws {
        try await withOrg { client in
            let id = try #require(try await client.column("SELECT Id FROM Account WHERE ExternalId__c = 'A-0002'").first)
            let (job, _) = try await Self.run(client, "upsert", "Account", "Id,Name\n\(id),By id\n,Without id\n", #", "externalIdFieldName": "Id""#)
            let lines = try await Self.lines(client, job, "successfulResults")
            #expect(lines.contains("\"\(id)\",\"false\",\(id),By id"))
            #expect(lines.contains { $0.hasSuffix("\"true\",,Without id") })
            for (body, code) in [
                (#"{"object": "Account", "operation": "upsert"}"#, "INVALIDJOB"),
                (#"{"object": "Account", "operation": "upsert", "externalIdFieldName": "Phone"}"#, "INVALIDJOB"),
                (#"{"object": "Nothing__c", "operation": "insert"}"#, "INVALIDENTITY"), (#"{"object": "Archive__b", "operation": "insert"}"#, "INVALIDENTITY"),
                (#"{"object": "Account", "operation": "query"}"#, "INVALIDJOB"), (#"{"object": "Account", "operation": "insert", "columnDelimiter": "DOT"}"#, "INVALIDJOB"),
            ] {
                let answer = try await client.rest("POST", "jobs/ingest", body)
                #expect(answer.status == 400)
                #expect(answer.errorCode == code, "\(body)")
            }
            #expect(try await client.rest("POST", "jobs/ingest", #"{"object": "Archive__b", "operation": "insert"}"#).list.first?["message"] as? String
                == "Entity 'Archive__b' is not supported by the Bulk API.")
        }
    }
}
