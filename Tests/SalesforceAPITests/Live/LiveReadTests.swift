import Foundation
import HTTPTransport
import Testing

@testable import SalesforceAPI

@Suite("reading from the simulated org", .timeLimit(.minutes(1)))
struct LiveReadTests {
    @Test("login, versions, descriptions and limits")
    func describes() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let grant = try await client.session.current()
            #expect(grant.instanceURL == org.baseURL)
            #expect(grant.organizationID.count == 18 && grant.organizationID.hasPrefix("00D"))
            #expect(grant.userID.count == 18 && grant.userID.hasPrefix("005"))
            let versions = try await client.versions()
            #expect(versions.contains(APIVersion(62)) && versions == versions.sorted())
            let objects = try await client.describeGlobal()
            #expect(objects.view.contains { $0.name == "Account" && $0.queryable && $0.replicateable })
            #expect(objects.view.contains { $0.name == "Archive__b" && !$0.replicateable })
            let contact = try await client.describe("Contact")
            let account = try #require(contact.view.field("AccountId"))
            #expect(account.type == "reference" && account.relationshipName == "Account" && account.referenceTo == ["Account"])
            let external = try #require(contact.view.field("externalid__c"))
            #expect(external.externalId && external.unique && external.createable && external.length == 64)
            #expect(contact.view.field("FirstName")?.compoundFieldName == "Name")
            #expect(contact.view.field("SystemModstamp")?.updateable == false)
            #expect(try JSONSerialization.jsonObject(with: Data(contact.json)) is [String: Any])
            let limits = try await client.limits()
            #expect(try #require(limits["DailyApiRequests"]).remaining > 0)
            #expect(try #require(client.lastLimit).used > 0)
            let time = try await client.serverTimestamp()
            #expect(time.hasSuffix("Z") && time.hasPrefix("20"))
        }
    }

    @Test("a long result comes in pages that hold every record once, by address and by composite")
    func pages() async throws {
        try await LiveOrg.run { org in
            try await org.control(.patch, "settings", #"{"queryPageRecords":300}"#)
            let client = org.client()
            for batch in 0..<5 {
                let records = (0..<200).map {
                    WriteRecord(objectType: "Everything__c", fields: [WriteField("ExternalId__c", "p-\(batch * 200 + $0)"), WriteField("Text__c", "row \($0)")])
                }
                #expect(try await client.create(records).results.map(\.success).allSatisfy { $0 })
            }
            let condition = "ExternalId__c LIKE 'p-%'"
            let total = try await client.count("Everything__c", where: condition)
            #expect(total == 1000)
            for padding in [0, 9000] {
                let filler = padding == 0 ? "" : " AND Name != '\(String(repeating: "x", count: 3900))' AND Name != '\(String(repeating: "y", count: 3900))'"
                    + " AND Name != '\(String(repeating: "z", count: 900))'"
                var pages = client.query("SELECT Id, ExternalId__c FROM Everything__c WHERE \(condition)\(filler)")
                var keys: [String] = []
                var count = 0
                while let page = try await pages.next() {
                    let found = try rows(page.records)
                    #expect(found.count == page.count)
                    #expect(page.totalSize == 1000)
                    keys += found.compactMap { $0?["ExternalId__c"] as? String }
                    count += 1
                }
                #expect(count > 1)
                #expect(Set(keys).count == 1000 && keys.count == 1000)
            }
        }
    }

    @Test(
        "unknown objects, fields and broken queries say so",
        arguments: [
            ("SELECT Id FROM Nothing__c", Disposition.configuration, "INVALID_TYPE"), ("SELECT Nope__c FROM Account", .configuration, "INVALID_FIELD"),
            ("SELEC Id FROM Account", .bug, "MALFORMED_QUERY"),
        ])
    func queryErrors(soql: String, disposition: Disposition, code: String) async throws {
        try await LiveOrg.run { org in
            var pages = org.client().query(soql)
            let error = await #expect(throws: SalesforceError.self) { try await pages.next() }
            #expect(error?.disposition == disposition)
            #expect(error?.code == code)
        }
    }

    @Test("updated and deleted records are listed with the horizon")
    func replication() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let made = try await client.create([WriteRecord(objectType: "Account", fields: [WriteField("Name", "short-lived")])])
            let id = try #require(made.results.first?.id)
            #expect(try await client.delete(ids: [id]).results.first?.success == true)
            try await org.control(.post, "clock", #"{"advanceSeconds":180}"#)
            let now = Date().addingTimeInterval(180)
            let start = HTTPDate.timestamp(now.addingTimeInterval(-600))
            let end = HTTPDate.timestamp(now)
            let deleted = try await client.getDeleted("Account", from: start, to: end)
            #expect(try rows(deleted.records).map { $0?["id"] as? String } == [id])
            #expect(deleted.count == 1)
            #expect(!deleted.latestDateCovered.isEmpty && !deleted.earliestDateAvailable.isEmpty)
            let kept = try await client.create([WriteRecord(objectType: "Account", fields: [WriteField("Name", "kept")])])
            try await org.control(.post, "clock", #"{"advanceSeconds":120}"#)
            let updated = try await client.getUpdated("Account", from: start, to: HTTPDate.timestamp(now.addingTimeInterval(120)))
            #expect(updated.ids.contains(try #require(kept.results.first?.id)))
            #expect(!updated.latestDateCovered.isEmpty)
        }
    }

    @Test("a bulk query gives the same records as a query, page by page, by 2.0 and by 1.0")
    func bulk() async throws {
        try await LiveOrg.run { org in
            try await org.control(.patch, "settings", #"{"bulkDelayMilliseconds":0,"bulkPageRecords":40}"#)
            let text = "a \"quote\", a comma,\r\na break and 😀"
            let client = org.client()
            let records = (0..<100).map {
                WriteRecord(objectType: "Everything__c", fields: [WriteField("ExternalId__c", "b-\($0)"), WriteField("Long_Text__c", "\($0) \(text)")])
            }
            #expect(try await client.create(records).results.map(\.success).allSatisfy { $0 })
            let soql = "SELECT ExternalId__c, Long_Text__c FROM Everything__c WHERE ExternalId__c LIKE 'b-%'"

            let job = try await client.createQueryJob(soql)
            var state = job
            while !state.isComplete {
                #expect(!state.isFailed)
                try await Task.sleep(for: .milliseconds(20))
                state = try await client.queryJob(job.id)
            }
            #expect(state.numberRecordsProcessed == 100)
            var csv = ""
            var locator: String?
            var pages = 0
            repeat {
                let (head, part) = try await client.queryResults(job.id, locator: locator, maximumRecords: 40) { head, body in
                    var filter = CSVPageFilter()
                    var bytes: [UInt8] = []
                    while let piece = try await body.next() { bytes += filter.transform(piece) }
                    filter.finish()
                    #expect(filter.isComplete && filter.recordCount == head.numberOfRecords)
                    #expect(filter.columns == ["ExternalId__c", "Long_Text__c"])
                    return (head, String(decoding: bytes, as: UTF8.self))
                }
                csv += part
                locator = head.nextLocator
                pages += 1
            } while locator != nil
            #expect(pages == 3)
            for number in 0..<100 {
                #expect(csv.contains("\"b-\(number)\",\"\(number) a \"\"quote\"\", a comma,\r\na break and 😀\"\n"))
            }
            #expect(try await client.queryResultPages(job.id).locators.count >= 1)
            #expect(try await client.listQueryJobs().jobs.contains { $0.id == job.id })
            try await client.deleteQueryJob(job.id)
            let gone = await #expect(throws: SalesforceError.self) { try await client.queryJob(job.id) }
            #expect(gone?.disposition == .restartQuery)

            let old = org.client(SalesforceClientConfiguration(apiVersion: APIVersion(46)))
            let bulk1 = try await old.createBulk1QueryJob("Everything__c", chunking: .init(chunkSize: 100_000))
            _ = try await old.addBulk1QueryBatch(bulk1.id, soql: soql)
            var batches = try await old.bulk1Batches(bulk1.id)
            while batches.count < 2 || !batches.allSatisfy(\.isSettled) {
                try await Task.sleep(for: .milliseconds(20))
                batches = try await old.bulk1Batches(bulk1.id)
            }
            #expect(batches.first?.state == "NotProcessed")
            var count = 0
            for batch in batches where batch.state == "Completed" {
                for result in try await old.bulk1ResultList(bulk1.id, batch: batch.id) {
                    count += try await old.bulk1Result(bulk1.id, batch: batch.id, result: result) { _, body in
                        var filter = CSVPageFilter()
                        while let piece = try await body.next() { _ = filter.transform(piece) }
                        filter.finish()
                        return filter.recordCount
                    }
                }
            }
            #expect(count == 100)
            #expect(try await old.closeBulk1Job(bulk1.id).state == "Closed")
        }
    }
}
