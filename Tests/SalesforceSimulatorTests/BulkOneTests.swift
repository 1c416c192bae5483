import Foundation
@testable import SalesforceSimulator
import Testing

/// Bulk API 1.0 as the wire reference tells it in 4.1 and 4.4.
@Suite("Bulk 1.0 jobs")
struct BulkOneTests {
    /// Speaks Bulk 1.0.
    private struct Bulk: Sendable {
        static let namespace = "http://www.force.com/2009/06/asyncapi/dataload"
        let client: OrgClient
        var version = "62.0"

        func call(_ method: String, _ path: String, _ body: String? = nil, type: String = "application/xml", headers: [String: String] = [:]) async throws -> Answer {
            try await client.send(
                method, "/services/async/\(version)/\(path)", body: body, type: type, headers: ["X-SFDC-Session": client.token].merging(headers) { $1 })
        }

        static func document(_ operation: String, _ object: String, _ contentType: String, _ more: String = "") -> String {
            "<jobInfo xmlns=\"\(namespace)\"><operation>\(operation)</operation><object>\(object)</object>\(more)<contentType>\(contentType)</contentType></jobInfo>"
        }

        func create(_ operation: String, _ object: String, _ contentType: String, _ more: String = "", headers: [String: String] = [:]) async throws -> String {
            let answer = try await call("POST", "job", Self.document(operation, object, contentType, more), headers: headers)
            #expect(answer.status == 201, "\(answer.text)")
            return try #require(Self.values("id", answer.text).first)
        }

        func add(_ job: String, _ body: String, type: String = "text/csv") async throws -> String {
            let answer = try await call("POST", "job/\(job)/batch", body, type: type)
            #expect(answer.status == 201, "\(answer.text)")
            return try #require(Self.values("id", answer.text).first ?? answer.object["id"] as? String)
        }

        /// Waits until the batch has ended; answers its state and message.
        func wait(_ job: String, _ batch: String) async throws -> (state: String, message: String?) {
            for _ in 0..<1_000 {
                let answer = try await call("GET", "job/\(job)/batch/\(batch)")
                let state = Self.values("state", answer.text).first ?? answer.object["state"] as? String ?? ""
                if ["Completed", "Failed", "NotProcessed"].contains(state) {
                    return (state, Self.values("stateMessage", answer.text).first ?? answer.object["stateMessage"] as? String)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            Issue.record("the batch does not end")
            return ("", nil)
        }

        static func values(_ name: String, _ text: String) -> [String] {
            text.components(separatedBy: "<\(name)>").dropFirst().map { $0.components(separatedBy: "</")[0] }
        }
    }

    @Test("a CSV batch answers its rows in their order, its request as sent, and exact content types")
    func csv() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let job = try await bulk.create("upsert", "Contact", "CSV", "<externalIdFieldName>ExternalId__c</externalIdFieldName>")
            let body = "ExternalId__c,LastName,Account.ExternalId__c\nC-0001,Changed,\nN-1,\"New, one\",A-0001\r\nN-2,,#N/A\nN-3,Third,#N/A\n"
            let batch = try await bulk.add(job, body)
            #expect(try await bulk.wait(job, batch).state == "Completed")
            let result = try await bulk.call("GET", "job/\(job)/batch/\(batch)/result")
            #expect(result.headers["content-type"] == "text/csv")
            let lines = result.text.split(separator: "\n").map(String.init)
            #expect(lines.count == 5)
            #expect(lines[0] == #""Id","Success","Created","Error""#)
            #expect(lines[1].hasSuffix(#"","true","false","""#) && lines[1].hasPrefix("\"003"))
            #expect(lines[2].hasSuffix(#"","true","true","""#))
            #expect(lines[3] == #""","false","false","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --""#)
            #expect(lines[4].hasSuffix(#"","true","true","""#))
            let request = try await bulk.call("GET", "job/\(job)/batch/\(batch)/request")
            #expect(request.text == body)
            #expect(request.headers["content-type"] == "text/csv")
            let closed = try await bulk.call("POST", "job/" + job, "<jobInfo xmlns=\"\(Bulk.namespace)\"><state>Closed</state></jobInfo>")
            #expect(closed.headers["content-type"] == "application/xml")
            #expect(Bulk.values("state", closed.text) == ["Closed"])
            #expect(Bulk.values("numberBatchesCompleted", closed.text) == ["1"])
            #expect(Bulk.values("numberRecordsProcessed", closed.text) == ["4"])
            #expect(Bulk.values("numberRecordsFailed", closed.text) == ["1"])
            #expect(Bulk.values("apiVersion", closed.text) == ["62.0"])
            let names = closed.text.components(separatedBy: "<").dropFirst(3).compactMap { $0.hasPrefix("/") ? nil : $0.components(separatedBy: ">")[0] }
            let places = names.compactMap { BulkDocument.jobElements.firstIndex(of: $0) }
            #expect(places == places.sorted())
            #expect(try await client.column("SELECT Account.ExternalId__c FROM Contact WHERE ExternalId__c = 'N-1'").first?.contains("A-0001") == true)
        }
    }

    @Test("replies are JSON for a JSON job, and for a job call that speaks JSON; a CSV batch stays XML")
    func formats() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let json = "application/json"
            let created = try await bulk.call("POST", "job/", #"{"operation": "insert", "object": "Account", "concurrencyMode": 0, "contentType": "JSON"}"#, type: json)
            #expect(created.status == 201)
            #expect(created.headers["content-type"] == json)
            #expect(created.object["concurrencyMode"] as? String == "Parallel")
            #expect((created.object["createdDate"] as? String)?.hasSuffix(".000+0000") == true)
            #expect(created.object["numberBatchesTotal"] as? Int == 0)
            let job = try #require(created.object["id"] as? String)
            let batch = try await bulk.add(job, #"[{"Name": "J", "Parent": {"ExternalId__c": "A-0001"}}, {"Phone": null}]"#, type: json)
            #expect(try await bulk.wait(job, batch).state == "Completed")
            let result = try await bulk.call("GET", "job/\(job)/batch/\(batch)/result")
            #expect(result.headers["content-type"] == json)
            #expect(result.list.map { $0["success"] as? Bool } == [true, false])
            #expect(result.list.map { $0["created"] as? Bool } == [true, false])
            #expect(result.list[1]["id"] is NSNull)
            let error = (result.list[1]["errors"] as? [[String: Any]])?.first
            #expect(error?["statusCode"] as? String == "REQUIRED_FIELD_MISSING")
            #expect(error?["fields"] as? [String] == ["Name"])
            #expect(error?["extendedErrorDetails"] is NSNull)
            let list = try await bulk.call("GET", "job/\(job)/batch")
            #expect((list.object["batchInfo"] as? [[String: Any]])?.first?["numberRecordsFailed"] as? Int == 1)
            #expect(try await bulk.call("GET", "job/" + job).headers["content-type"] == json)
            #expect(try await bulk.call("GET", "job/\(job)/batch/\(batch)").headers["content-type"] == json)
            // A job made in JSON for CSV: the job speaks JSON, its batches XML.
            let mixed = try await bulk.call("POST", "job", #"{"operation": "insert", "object": "Account", "concurrencyMode": 1, "contentType": "CSV"}"#, type: json)
            #expect(mixed.object["concurrencyMode"] as? String == "Serial")
            let second = try #require(mixed.object["id"] as? String)
            let csv = try await bulk.call("POST", "job/\(second)/batch", "Name\nx\n", type: "text/csv")
            #expect(csv.headers["content-type"] == "application/xml")
            #expect(Bulk.values("createdDate", csv.text).first?.hasSuffix(".000Z") == true)
            let third = try #require(Bulk.values("id", csv.text).first)
            for path in ["batch", "batch/" + third] {
                let get = try await bulk.call("GET", "job/\(second)/\(path)", "", type: json)
                #expect(get.headers["content-type"] == "application/xml")
            }
        }
    }

    @Test("an XML batch, with null and a parent by its identifier, answers XML")
    func xml() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let job = try await bulk.create("insert", "Contact", "XML")
            let body = """
                <?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="\(Bulk.namespace)" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
                <sObject><LastName>X &amp; Y</LastName><Phone xsi:nil="true"/><Account><sObject><ExternalId__c>A-0001</ExternalId__c></sObject></Account></sObject>\
                <sObject><Phone>1</Phone></sObject></sObjects>
                """
            let batch = try await bulk.add(job, body, type: "application/xml")
            #expect(try await bulk.wait(job, batch).state == "Completed")
            let result = try await bulk.call("GET", "job/\(job)/batch/\(batch)/result")
            #expect(result.headers["content-type"] == "application/xml")
            #expect(result.text.contains("<results xmlns=\"\(Bulk.namespace)\""))
            #expect(Bulk.values("success", result.text) == ["true", "false"])
            #expect(Bulk.values("statusCode", result.text) == ["REQUIRED_FIELD_MISSING"])
            #expect(Bulk.values("fields", result.text) == ["LastName"])
            let id = try #require(Bulk.values("id", result.text).first)
            #expect(try await client.column("SELECT Account.ExternalId__c FROM Contact WHERE Id = '\(id)'").first?.contains("A-0001") == true)
        }
    }

    @Test("errors are XML, or JSON when the call speaks JSON, with their codes", arguments: ["application/xml", "application/json"])
    func errors(_ type: String) async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let isJSON = type == "application/json"
            func code(_ answer: Answer) -> String? {
                #expect(answer.status == 400)
                #expect(answer.headers["content-type"] == type)
                return isJSON ? answer.object["exceptionCode"] as? String : Bulk.values("exceptionCode", answer.text).first
            }
            func document(_ operation: String, _ object: String) -> String {
                isJSON ? #"{"operation": "\#(operation)", "object": "\#(object)", "contentType": "CSV"}"# : Bulk.document(operation, object, "CSV")
            }
            #expect(code(try await bulk.call("POST", "job", document("insert", "Account"), type: type, headers: ["X-SFDC-Session": "no"])) == "InvalidSessionId")
            #expect(code(try await bulk.call("POST", "job", document("insert", "Nothing__c"), type: type)) == "InvalidEntity")
            #expect(code(try await bulk.call("POST", "job", document("hardDelete", "Account"), type: type)) == "FeatureNotEnabled")
            #expect(code(try await bulk.call("POST", "job", document("merge", "Account"), type: type)) == "InvalidJob")
            #expect(code(try await bulk.call("POST", "job", document("upsert", "Account"), type: type)) == "InvalidJob")
            #expect(code(try await bulk.call("POST", "job/750xx0000000999AAA", "{}", type: type)) == "InvalidJob")
            var future = bulk
            future.version = "99.0"
            #expect(code(try await future.call("POST", "job", document("insert", "Account"), type: type)) == "InvalidVersion")
            let job = try await bulk.create("insert", "Account", "CSV")
            let closing = isJSON ? #"{"state": "Closed"}"# : "<jobInfo xmlns=\"\(Bulk.namespace)\"><state>Closed</state></jobInfo>"
            #expect(try await bulk.call("POST", "job/" + job, closing, type: type).status == 200)
            #expect(Bulk.values("exceptionCode", try await bulk.call("POST", "job/\(job)/batch", "Name\nx\n", type: "text/csv").text) == ["InvalidJobState"])
            #expect(Bulk.values("exceptionCode", try await bulk.call("GET", "job/\(job)/batch/751xx0000000999AAA").text) == ["InvalidBatch"])
        }
    }

    @Test("elements of an XML job must stand in their order and namespace")
    func order() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            for body in [
                "<jobInfo xmlns=\"\(Bulk.namespace)\"><object>Account</object><operation>insert</operation><contentType>CSV</contentType></jobInfo>",
                "<jobInfo xmlns=\"\(Bulk.namespace)\"><operation>insert</operation><object>Account</object><contentType>CSV</contentType><concurrencyMode>Serial</concurrencyMode></jobInfo>",
                "<jobInfo><operation>insert</operation><object>Account</object><contentType>CSV</contentType></jobInfo>", "<jobInfo",
            ] {
                let answer = try await bulk.call("POST", "job", body)
                #expect(answer.status == 400)
                #expect(Bulk.values("exceptionCode", answer.text) == ["InvalidXml"], "\(body)")
            }
            // Without a contentType it is XML.
            let answer = try await bulk.call("POST", "job", "<jobInfo xmlns=\"\(Bulk.namespace)\"><operation>insert</operation><object>Account</object></jobInfo>")
            #expect(Bulk.values("contentType", answer.text) == ["XML"])
        }
    }

    @Test("a batch has at most 10,000 records and 10,000,000 bytes, and fits its job's format; gzip is taken")
    func limits() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let job = try await bulk.create("insert", "Account", "CSV")
            let many = try await bulk.add(job, "Phone\n" + String(repeating: "1\n", count: 10_001))
            let ended = try await bulk.wait(job, many)
            #expect(ended.state == "Failed")
            #expect(ended.message?.hasPrefix("InvalidBatch : Exceeded number of records") == true)
            let result = try await bulk.call("GET", "job/\(job)/batch/\(many)/result")
            #expect(result.status == 400)
            #expect(Bulk.values("exceptionMessage", result.text) == ["Records not processed"])
            let large = try await bulk.call("POST", "job/\(job)/batch", "Name\n" + String(repeating: "x", count: 10_000_000), type: "text/csv")
            #expect(Bulk.values("exceptionCode", large.text) == ["ClientInputError"])
            #expect(try await bulk.call("POST", "job/\(job)/batch", "[]", type: "application/json").object["exceptionCode"] as? String == "InvalidBatch")
            let unknown = try await bulk.wait(job, try await bulk.add(job, "Name,Nope__c\na,b\n"))
            #expect(unknown.message == "InvalidBatch : Field name not found : Nope__c")
            let zipped = try #require(Data(base64Encoded: "H4sIAAAAAAACA4uuVvJLzE1VslKKyiwoSE1Rqo0FAIrAttYTAAAA"))
            let json = try await bulk.create("insert", "Account", "JSON")
            let sent = try await client.send(
                "POST", "/services/async/62.0/job/\(json)/batch", data: zipped, type: "application/json",
                headers: ["X-SFDC-Session": client.token, "Content-Encoding": "gzip"])
            let batch = try #require(sent.object["id"] as? String, "\(sent.text)")
            #expect(try await bulk.wait(json, batch).state == "Completed")
            #expect(try await client.query("SELECT COUNT() FROM Account WHERE Name = 'Zipped'").object["totalSize"] as? Int == 1)
        }
    }

    @Test("the batches of a Serial job run one after the other, those of a Parallel job side by side")
    func concurrency() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"chunkMilliseconds": 400, "lockWaitMilliseconds": 0}}"#)
            func run(_ mode: String) async throws -> (most: Int, failed: Int) {
                let job = try await bulk.create("insert", "Contact", "CSV", "<concurrencyMode>\(mode)</concurrencyMode>")
                for index in 0..<3 { _ = try await bulk.add(job, "LastName,Account.ExternalId__c\n\(index),A-0001\n") }
                var most = 0
                while true {
                    let info = try await bulk.call("GET", "job/" + job).text
                    most = max(most, Bulk.values("numberBatchesInProgress", info).first.flatMap { Int($0) } ?? 0)
                    guard Bulk.values("numberBatchesCompleted", info) != ["3"] else {
                        return (most, Bulk.values("numberRecordsFailed", info).first.flatMap { Int($0) } ?? -1)
                    }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(try await run("Serial") == (1, 0))
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"chunkMilliseconds": 1500}}"#)
            let parallel = try await run("Parallel")
            #expect(parallel.most > 1)
            #expect(parallel.failed > 0)
        }
    }

    @Test("an aborted job processes no further batch; a batch that failed on its way tells what it saved")
    func stopping() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"queueMilliseconds": 60000}}"#)
            let job = try await bulk.create("insert", "Account", "CSV")
            let batch = try await bulk.add(job, "Name\nNever\n")
            #expect(Bulk.values("exceptionMessage", try await bulk.call("GET", "job/\(job)/batch/\(batch)/result").text) == ["Batch not completed"])
            let aborted = try await bulk.call("POST", "job/" + job, "<jobInfo xmlns=\"\(Bulk.namespace)\"><state>Aborted</state></jobInfo>")
            #expect(Bulk.values("state", aborted.text) == ["Aborted"])
            #expect(try await bulk.wait(job, batch).state == "NotProcessed")
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"queueMilliseconds": 0, "failAfterRecords": 200}}"#)
            let second = try await bulk.create("insert", "Account", "CSV")
            let failing = try await bulk.add(second, "Name\n" + (0..<350).map { "Failing \($0)\n" }.joined())
            let ended = try await bulk.wait(second, failing)
            #expect(ended.state == "Failed")
            #expect(ended.message?.hasPrefix("TooManyLockFailure : ") == true)
            let result = try await bulk.call("GET", "job/\(second)/batch/\(failing)/result")
            #expect(result.status == 200)
            #expect(result.text.split(separator: "\n").count == 201)
            #expect(try await client.query("SELECT COUNT() FROM Account WHERE Name LIKE 'Failing %'").object["totalSize"] as? Int == 200)
        }
    }

    @Test("JSON and XML query results: attributes, epoch milliseconds, parents")
    func queries() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let query = "SELECT Id, LastName, CreatedDate, Account.Name FROM Contact WHERE ExternalId__c = 'C-0001'"
            let json = try await bulk.create("query", "Contact", "JSON")
            let batch = try await bulk.add(json, query, type: "application/json")
            #expect(try await bulk.wait(json, batch).state == "Completed")
            let ids = try await bulk.call("GET", "job/\(json)/batch/\(batch)/result").json as? [String] ?? []
            let rows = try await bulk.call("GET", "job/\(json)/batch/\(batch)/result/\(ids.first ?? "")")
            #expect(rows.headers["content-type"] == "application/json")
            #expect(rows.list.count == 1)
            #expect((rows.list[0]["attributes"] as? [String: Any])?["type"] as? String == "Contact")
            #expect((rows.list[0]["CreatedDate"] as? Int).map { $0 > 1_600_000_000_000 } == true)
            #expect((rows.list[0]["Account"] as? [String: Any])?["Name"] is String)
            #expect(try await bulk.call("GET", "job/\(json)/batch/\(batch)/request").text == query)
            let xml = try await bulk.create("queryAll", "Contact", "XML")
            let second = try await bulk.add(xml, query, type: "application/xml")
            #expect(try await bulk.wait(xml, second).state == "Completed")
            let result = try #require(Bulk.values("result", try await bulk.call("GET", "job/\(xml)/batch/\(second)/result").text).first)
            let text = try await bulk.call("GET", "job/\(xml)/batch/\(second)/result/\(result)").text
            #expect(text.contains("<queryResult xmlns=\"\(Bulk.namespace)\""))
            #expect(Bulk.values("type", text) == ["Contact", "Account"])
            #expect(Bulk.values("CreatedDate", text).first?.hasSuffix("Z") == true)
            let csv = try await bulk.create("query", "Contact", "CSV", headers: ["Sforce-Line-Ending": "CRLF"])
            let third = try await bulk.add(csv, query)
            #expect(try await bulk.wait(csv, third).state == "Completed")
            let csvResult = try #require(Bulk.values("result", try await bulk.call("GET", "job/\(csv)/batch/\(third)/result").text).first)
            #expect(try await bulk.call("GET", "job/\(csv)/batch/\(third)/result/\(csvResult)").text.hasPrefix("\"Id\",\"LastName\",\"CreatedDate\",\"Account.Name\"\r\n"))
            let broken = try await bulk.add(csv, "SELECT Nope FROM Contact")
            let ended = try await bulk.wait(csv, broken)
            #expect(ended.state == "Failed")
            #expect(ended.message?.hasPrefix("InvalidBatch : Failed to process query: INVALID_FIELD") == true)
        }
    }

    @Test("PK chunking begins at startRow, and fails for a query that has more than WHERE")
    func chunking() async throws {
        try await withOrg { client in
            let bulk = Bulk(client: client)
            let start = try #require(try await client.column("SELECT Id FROM Account ORDER BY Id LIMIT 1 OFFSET 20").first)
            let job = try await bulk.create("query", "Account", "CSV", headers: ["Sforce-Enable-PKChunking": "chunkSize=15; startRow=\(start.prefix(15))"])
            let first = try await bulk.add(job, "SELECT Id FROM Account")
            #expect(try await bulk.wait(job, first).state == "NotProcessed")
            let list = try await bulk.call("GET", "job/\(job)/batch").text
            #expect(Bulk.values("id", list).count == 3)
            var rows = 0
            for id in Bulk.values("id", list).dropFirst() {
                #expect(try await bulk.wait(job, id).state == "Completed")
                let result = try #require(Bulk.values("result", try await bulk.call("GET", "job/\(job)/batch/\(id)/result").text).first)
                rows += try await bulk.call("GET", "job/\(job)/batch/\(id)/result/\(result)").text.split(separator: "\n").count - 1
            }
            #expect(rows == 20)
            let ordered = try await bulk.create("query", "Account", "CSV", headers: ["Sforce-Enable-PKChunking": "TRUE"])
            let batch = try await bulk.add(ordered, "SELECT Id FROM Account ORDER BY Id")
            let ended = try await bulk.wait(ordered, batch)
            #expect(ended.state == "Failed")
            #expect(ended.message?.hasPrefix("InvalidBatch : ") == true)
        }
    }
}
