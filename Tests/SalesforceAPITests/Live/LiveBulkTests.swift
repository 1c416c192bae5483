import Foundation
import HTTPTransport
import Synchronization
import Testing

@testable import SalesforceAPI

@Suite("bulk jobs of the simulated org", .timeLimit(.minutes(2)))
struct LiveBulkTests {
    private static func csv(_ header: String, _ rows: [String]) -> [UInt8] { Array((header + "\n" + rows.map { $0 + "\n" }.joined()).utf8) }

    /// Uploads `bytes` in pieces that cut through lines.
    private static func send(_ bytes: [UInt8], _ upload: BulkUpload) async throws {
        for start in stride(from: 0, to: bytes.count, by: 10_007) {
            try await upload.write(Array(bytes[start..<min(start + 10_007, bytes.count)]))
        }
    }

    private static func settled(_ client: SalesforceClient, _ id: String) async throws -> BulkIngestJob {
        while true {
            let job = try await client.ingestJob(id)
            if job.isSettled { return job }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The rows of a result without the header line, and the header's names.
    private static func lines(_ body: BulkBody) async throws -> (columns: [String], rows: [String]) {
        var filter = CSVPageFilter()
        var bytes: [UInt8] = []
        while let piece = try await body.next() { bytes += filter.transform(piece) }
        filter.finish()
        return (filter.columns, String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    @Test("a job of Bulk 2.0: created, uploaded, closed, read, removed; nothing runs before the close")
    func bulk2() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let order = BulkIngestOrder(object: "Account", operation: .upsert, externalIDField: "ExternalId__c")
            let job = try await client.createIngestJob(order)
            #expect(job.state == "Open" && job.object == "Account" && job.operation == "upsert" && job.externalIdFieldName == "ExternalId__c")
            let rows = (1...2_500).map { ##""b-\##($0)","Name, \##($0) ""x""","#N/A""## } + [#""b-bad",,"#]
            try await client.uploadIngestRows(job.id) { try await Self.send(Self.csv("ExternalId__c,Name,Phone", rows), $0) }
            #expect(try await client.count("Account", where: "ExternalId__c LIKE 'b-%'") == 0)
            // One upload a job.
            await #expect(throws: SalesforceError.self) {
                try await client.uploadIngestRows(job.id) { try await $0.write(Array("Name\n".utf8)) }
            }
            #expect(try await client.closeIngestJob(job.id).state == "UploadComplete")
            let done = try await Self.settled(client, job.id)
            #expect(done.state == "JobComplete" && done.numberRecordsProcessed == 2_501 && done.numberRecordsFailed == 1)
            #expect(try await client.count("Account", where: "ExternalId__c LIKE 'b-%'") == 2_500)

            let successful = try await client.ingestResult(job.id, .successful) { _, body in try await Self.lines(body) }
            #expect(successful.columns == ["sf__Id", "sf__Created", "ExternalId__c", "Name", "Phone"])
            #expect(successful.rows.count == 2_500)
            #expect(successful.rows.allSatisfy { $0.hasPrefix("\"001") && $0.contains(",\"true\",\"b-") })
            #expect(successful.rows.contains { $0.hasSuffix(##""b-77","Name, 77 ""x""","#N/A""##) })
            let failed = try await client.ingestResult(job.id, .failed) { _, body in try await Self.lines(body) }
            #expect(failed.columns == ["sf__Id", "sf__Error", "ExternalId__c", "Name", "Phone"])
            #expect(failed.rows.count == 1)
            #expect(failed.rows.first?.contains("REQUIRED_FIELD_MISSING:") == true)
            let unprocessed = try await client.ingestResult(job.id, .unprocessed) { _, body in try await Self.lines(body) }
            #expect(unprocessed.rows.isEmpty)

            try await client.deleteIngestJob(job.id)
            try await client.deleteIngestJob(job.id)
            await #expect(throws: SalesforceError.self) { _ = try await client.ingestJob(job.id) }
        }
    }

    @Test("jobs are listed by kind, with who made them, and an open one is aborted without a trace")
    func listing() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let order = BulkIngestOrder(object: "Account", operation: .insert)
            let second = try await client.createIngestJob(order)
            let first = try await client.createBulk1IngestJob(order, isSerial: true)
            let listed = try await client.listIngestJobs()
            #expect(listed.jobs.map(\.id) == [second.id])
            #expect(listed.jobs.first?.jobType == "V2Ingest" && listed.jobs.first?.state == "Open" && listed.jobs.first?.createdById?.hasPrefix("005") == true)
            #expect(try await client.listIngestJobs(classic: true).jobs.map(\.id) == [first.id])
            #expect(try await client.abortIngestJob(second.id).state == "Aborted")
            await #expect(throws: SalesforceError.self) { _ = try await client.closeIngestJob(second.id) }
            #expect(try await client.abortBulk1Job(first.id).state == "Aborted")
        }
    }

    @Test("a batch of Bulk 1.0: results come in the order of the rows")
    func bulk1() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let job = try await client.createBulk1IngestJob(BulkIngestOrder(object: "Account", operation: .insert))
            let rows = (1...450).map { $0 % 100 == 50 ? "," : "\"Row \($0)\"," }
            let added = try await client.addBulk1IngestBatch(job.id) { try await Self.send(Self.csv("Name,Phone", rows), $0) }
            #expect(try await client.closeBulk1Job(job.id).state == "Closed")
            var batch = added
            while !batch.isSettled {
                try await Task.sleep(for: .milliseconds(20))
                batch = try #require(try await client.bulk1Batches(job.id).first)
            }
            #expect(batch.id == added.id && batch.state == "Completed" && batch.numberRecordsProcessed == 450)
            let (columns, lines) = try await client.bulk1IngestResult(job.id, batch: batch.id) { _, body in try await Self.lines(body) }
            #expect(columns == ["Id", "Success", "Created", "Error"])
            #expect(lines.count == 450)
            for (index, line) in lines.enumerated() {
                #expect(line.contains((index + 1) % 100 == 50 ? "\"false\",\"false\",\"REQUIRED_FIELD_MISSING" : "\"true\",\"true\",\"\""))
            }
            // A batch for a closed job is refused.
            await #expect(throws: SalesforceError.self) {
                _ = try await client.addBulk1IngestBatch(job.id) { try await $0.write(Self.csv("Name", ["x"])) }
            }
        }
    }

    @Test("an upload with an expired session begins again with a new one")
    func renewal() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let job = try await client.createIngestJob(BulkIngestOrder(object: "Account", operation: .insert))
            try await org.control(.delete, "sessions")
            let runs = Mutex(0)
            try await client.uploadIngestRows(job.id) { upload in
                runs.withLock { $0 += 1 }
                try await Self.send(Self.csv("Name", (1...5_000).map { "Row \($0)" }), upload)
            }
            #expect(runs.withLock { $0 } == 2)
            _ = try await client.closeIngestJob(job.id)
            #expect(try await Self.settled(client, job.id).numberRecordsProcessed == 5_000)
        }
    }

    @Test("a source that fails leaves a job without rows")
    func sourceFails() async throws {
        struct Gone: Error {}
        try await LiveOrg.run { org in
            let client = org.client()
            let job = try await client.createIngestJob(BulkIngestOrder(object: "Account", operation: .insert))
            await #expect(throws: Gone.self) {
                try await client.uploadIngestRows(job.id) { upload in
                    try await upload.write(Self.csv("Name", ["x", "y"]))
                    throw Gone()
                }
            }
            #expect(try await client.ingestJob(job.id).state == "Open")
            // Nothing of the half upload was taken: the whole one is still wanted.
            try await client.uploadIngestRows(job.id) { try await $0.write(Self.csv("Name", ["z"])) }
            _ = try await client.closeIngestJob(job.id)
            #expect(try await Self.settled(client, job.id).numberRecordsProcessed == 1)
        }
    }

    @Test("versions before 41.0 have no Bulk 2.0 ingest, and are told so without a call")
    func oldVersion() async throws {
        try await LiveOrg.run { org in
            var configuration = SalesforceClientConfiguration()
            configuration.apiVersion = APIVersion(40)
            let client = org.client(configuration)
            let error = await #expect(throws: SalesforceError.self) {
                _ = try await client.createIngestJob(BulkIngestOrder(object: "Account", operation: .insert))
            }
            #expect(error?.code == "UNSUPPORTED_API_VERSION")
            #expect(try await org.calls("bulk2", "ingest.createJob") == 0)
            _ = try await client.createBulk1IngestJob(BulkIngestOrder(object: "Account", operation: .insert))
        }
    }
}
