import Logging
import Testing

@testable import SalesforceAPI

@Suite("bulk queries", .timeLimit(.minutes(1)))
struct BulkQueryTests {
    struct Pages: Sendable {
        var rows = ""
        var records = 0
        var heads: [BulkResultHead] = []
    }

    private static func read(_ client: SalesforceClient, _ id: String) async throws -> Pages {
        var pages = Pages()
        var locator: String?
        repeat {
            let (head, text, filter) = try await client.queryResults(id, locator: locator, maximumRecords: 2) { head, body in
                var filter = CSVPageFilter()
                var rows: [UInt8] = []
                while let piece = try await body.next() { rows += filter.transform(piece) }
                filter.finish()
                return (head, String(decoding: rows, as: UTF8.self), filter)
            }
            #expect(filter.recordCount == head.numberOfRecords)
            #expect(head.bodyLength == nil || filter.bytesRead == head.bodyLength)
            pages.rows += text
            pages.records += filter.recordCount
            pages.heads.append(head)
            locator = head.nextLocator
        } while locator != nil
        return pages
    }

    private static func page(_ rows: [String], locator: String) -> ScriptedAnswer {
        ScriptedAnswer(
            headers: [("Content-Type", "text/csv"), ("Sforce-Locator", locator), ("Sforce-NumberOfRecords", "\(rows.count)")],
            body: "\"Id\"\n" + rows.map { "\"\($0)\"\n" }.joined())
    }

    @Test("pages follow the locator to the text null, and an expired session on the way is renewed")
    func results() async throws {
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") { return org.token("00Dxx0000001gPL!t\(org.received("/services/oauth2").count)") }
            if request.path.hasSuffix("/jobs/query") { return .json(#"{"id":"750xx0000000001AAA","state":"UploadComplete","object":"Account","apiVersion":62.0}"#) }
            if !request.path.contains("locator") { return Self.page(["1", "2"], locator: "MTA/w=") }
            return request.header("Authorization")?.hasSuffix("t2") == true ? Self.page(["3"], locator: "null") : .expired
        } _: { org in
            let client = org.client()
            let job = try await client.createQueryJob("SELECT Id FROM Account", all: true)
            #expect(job.id == "750xx0000000001AAA" && !job.isComplete && job.failure == nil)
            let pages = try await Self.read(client, job.id)
            #expect(pages.rows == "\"1\"\n\"2\"\n\"3\"\n")
            #expect(pages.records == 3)
            #expect(pages.heads.map(\.nextLocator) == ["MTA/w=", nil])
            let created = try #require(org.received("/services/data/v62.0/jobs/query").first)
            #expect(created.text == #"{"operation":"queryAll","query":"SELECT Id FROM Account","contentType":"CSV","columnDelimiter":"COMMA","lineEnding":"LF"}"#)
            #expect(org.received("/services/data/v62.0/jobs/query/").map(\.path) == [
                "/services/data/v62.0/jobs/query/750xx0000000001AAA/results?maxRecords=2",
                "/services/data/v62.0/jobs/query/750xx0000000001AAA/results?maxRecords=2&locator=MTA%2Fw%3D",
                "/services/data/v62.0/jobs/query/750xx0000000001AAA/results?maxRecords=2&locator=MTA%2Fw%3D",
            ])
        }
    }

    @Test("an error that the reader throws passes through and is not read again")
    func readerError() async throws {
        struct Full: Error {}
        try await ScriptedOrg.run { org, request in
            request.path.hasSuffix("/token") ? org.token("00Dxx0000001gPL!t") : Self.page(["1"], locator: "null")
        } _: { org in
            let client = org.client()
            await #expect(throws: Full.self) { try await client.queryResults("750") { _, _ in throw Full() } }
            #expect(org.received("/services/data").count == 1)
        }
    }

    @Test("a job that is gone, and one not ready, say so")
    func gone() async throws {
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") { return org.token("00Dxx0000001gPL!t") }
            if request.path.contains("early") { return ScriptedAnswer(status: 204, headers: [], body: "") }
            return .json(#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#, status: 404)
        } _: { org in
            let client = org.client()
            let state = await #expect(throws: SalesforceError.self) { try await client.queryJob("750gone") }
            #expect(state?.disposition == .restartQuery)
            let results = await #expect(throws: SalesforceError.self) { try await client.queryResults("750gone") { _, _ in } }
            #expect(results?.disposition == .restartQuery)
            let early = await #expect(throws: SalesforceError.self) { try await client.queryResults("early") { _, _ in } }
            #expect(early?.disposition == .nothingRan(retryAfter: .seconds(5)))
            try await client.deleteQueryJob("750gone")
        }
    }

    @Test("result pages give locators, in either spelling of the next address")
    func resultPages() async throws {
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") { return org.token("00Dxx0000001gPL!t") }
            return request.path.contains("?")
                ? .json(#"{"resultPages":[{"resultUrl":"/services/data/v62.0/jobs/query/750/results?locator=c%2F"}],"done":true}"#)
                : .json(#"{"resultPages":[{"resultUrl":"/services/data/v62.0/jobs/query/750/results"},{"resultUrl":"/services/data/v62.0/jobs/query/750/results?maxRecords=5&locator=b"}],"nextRecordUrl":"/services/data/v62.0/jobs/query/750/resultPages?locator=x","done":false}"#)
        } _: { org in
            let client = org.client()
            let first = try await client.queryResultPages("750")
            #expect(first == BulkResultPages(locators: [nil, "b"], nextRecordsURL: "/services/data/v62.0/jobs/query/750/resultPages?locator=x"))
            let second = try await client.queryResultPages("750", nextRecordsURL: first.nextRecordsURL)
            #expect(second == BulkResultPages(locators: ["c/"], nextRecordsURL: nil))
            let old = org.client(SalesforceClientConfiguration(apiVersion: APIVersion(57)))
            let error = await #expect(throws: SalesforceError.self) { try await old.queryResultPages("750") }
            #expect(error?.disposition == .configuration)
        }
    }

    @Test("Bulk 1.0 with PK chunking: job, batch, list, results, close; an expired session is HTTP 400 there")
    func bulk1() async throws {
        let root = #"xmlns="http://www.force.com/2009/06/asyncapi/dataload""#
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") { return org.token("00Dxx0000001gPL!t\(org.received("/services/oauth2").count)") }
            func xml(_ body: String, _ status: Int = 200) -> ScriptedAnswer {
                ScriptedAnswer(status: status, headers: [("Content-Type", "application/xml")], body: body)
            }
            guard request.header("X-SFDC-Session")?.hasSuffix("t2") == true else {
                return xml("<error \(root)><exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>Invalid session id</exceptionMessage></error>", 400)
            }
            switch (request.method, request.path) {
            case ("POST", "/services/async/40.0/job"): return xml("<jobInfo \(root)><id>750</id><state>Open</state></jobInfo>", 201)
            case ("POST", "/services/async/40.0/job/750"): return xml("<jobInfo \(root)><id>750</id><state>Closed</state></jobInfo>")
            case ("POST", "/services/async/40.0/job/750/batch"): return xml("<batchInfo \(root)><id>751a</id><jobId>750</jobId><state>Queued</state></batchInfo>", 201)
            case ("GET", "/services/async/40.0/job/750/batch"):
                return xml(
                    "<batchInfoList \(root)><batchInfo><id>751a</id><state>NotProcessed</state></batchInfo><batchInfo><id>751b</id><state>Completed</state><numberRecordsProcessed>2</numberRecordsProcessed></batchInfo><batchInfo><id>751c</id><state>Failed</state><stateMessage>InvalidBatch : Field name not found : Foo__c</stateMessage></batchInfo></batchInfoList>")
            case ("GET", "/services/async/40.0/job/750/batch/751b/result"): return xml("<result-list \(root)><result>752x</result><result>752y</result></result-list>")
            default: return ScriptedAnswer(headers: [("Content-Type", "text/csv")], body: "Records not found for this query")
            }
        } _: { org in
            let client = org.client(SalesforceClientConfiguration(apiVersion: APIVersion(40)))
            let job = try await client.createBulk1QueryJob("Account", all: true, chunking: .init(chunkSize: 100_000))
            #expect(job == Bulk1Job(id: "750", state: "Open"))
            let batch = try await client.addBulk1QueryBatch(job.id, soql: "SELECT Id FROM Account")
            #expect(batch.id == "751a" && !batch.isSettled)
            let batches = try await client.bulk1Batches(job.id)
            #expect(batches.map(\.state) == ["NotProcessed", "Completed", "Failed"])
            #expect(batches.map(\.isSettled) == [true, true, true])
            #expect(batches.map(\.failure?.disposition) == [nil, nil, .configuration])
            #expect(try await client.bulk1ResultList(job.id, batch: "751b") == ["752x", "752y"])
            let empty = try await client.bulk1Result(job.id, batch: "751b", result: "752x") { _, body in
                var filter = CSVPageFilter()
                while let piece = try await body.next() { _ = filter.transform(piece) }
                filter.finish()
                return filter
            }
            #expect(empty.isEmptyResult)
            #expect(try await client.closeBulk1Job(job.id).state == "Closed")
            let created = try #require(org.received("/services/async/40.0/job").first)
            #expect(created.header("Sforce-Enable-PKChunking") == "chunkSize=100000")
            #expect(created.text == "<?xml version=\"1.0\" encoding=\"UTF-8\"?><jobInfo \(root)><operation>queryAll</operation><object>Account</object><concurrencyMode>Parallel</concurrencyMode><contentType>CSV</contentType></jobInfo>")
            #expect(org.received("/services/oauth2").count == 2)
        }
    }
}
