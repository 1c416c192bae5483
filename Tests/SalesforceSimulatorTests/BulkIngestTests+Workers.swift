import Foundation
@testable import SalesforceSimulator
import Synchronization
import Testing

/// The workers of a job among the org's other callers: locks, allowances, faults, and who hears of what they save.
extension BulkIngestTests {
    @Test("two workers collide on a parent that one of them holds; with patience both save")
    func locks() async throws {
        try await withOrg { client in
            let parent = try #require(try await client.column("SELECT Id FROM Account WHERE ExternalId__c = 'A-0001'").first)
            _ = try await client.control(
                "PATCH", "settings", #"{"bulk": {"chunkMilliseconds": 1000, "lockWaitMilliseconds": 0, "batchRecords": 1, "workers": 2}}"#)
            let csv = "LastName,AccountId,Account.ExternalId__c\nBy id,\(parent),\nBy key,,A-0001\n"
            let (id, job) = try await Self.run(client, "insert", "Contact", csv)
            #expect(job["state"] as? String == "JobComplete")
            #expect(job["numberRecordsFailed"] as? Int == 1)
            let failed = try await client.rest("GET", "jobs/ingest/\(id)/failedResults").text
            #expect(failed.contains("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: \(parent):--"))
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"chunkMilliseconds": 300, "lockWaitMilliseconds": 15000}}"#)
            #expect(try await Self.run(client, "insert", "Contact", csv).job["numberRecordsFailed"] as? Int == 0)
        }
    }

    @Test("a call meets the rows that a worker holds")
    func lockedForCalls() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"bulk": {"chunkMilliseconds": 1500}}"#)
            let parent = try #require(try await client.column("SELECT Id FROM Account WHERE ExternalId__c = 'A-0001'").first)
            let id = try await Self.start(client, "insert", "Contact", "LastName,AccountId\nHolder,\(parent)\n")
            try await Self.until {
                try await client.rest("PATCH", "sobjects/Account/" + parent, #"{"Phone": "1"}"#).errorCode == "UNABLE_TO_LOCK_ROW"
            }
            #expect(try await Self.finish(client, id)["numberRecordsFailed"] as? Int == 0)
            #expect(try await client.rest("PATCH", "sobjects/Account/" + parent, #"{"Phone": "2"}"#).status == 204)
        }
    }

    @Test("the day's allowance of batches is shared, and a job without one fails")
    func allowance() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"limits": {"DailyBulkApiBatches": 3}, "bulk": {"batchRecords": 2, "workers": 1}}"#)
            #expect(try await Self.run(client, "insert", "Account", "Name\na\nb\nc\n").job["state"] as? String == "JobComplete")
            let limits = try await client.rest("GET", "limits").object["DailyBulkApiBatches"] as? [String: Int]
            #expect(limits == ["Max": 3, "Remaining": 1])
            let (id, job) = try await Self.run(client, "insert", "Account", "Name\na\nb\nc\n")
            #expect(job["state"] as? String == "Failed")
            #expect((job["errorMessage"] as? String)?.hasPrefix("ExceededQuota : ") == true)
            #expect(try await Self.lines(client, id, "unprocessedrecords") == ["Name", "c"])
            // A day later there are some again.
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 86460}"#)
            #expect(try await Self.run(client, "insert", "Account", "Name\na\n").job["state"] as? String == "JobComplete")
        }
    }

    @Test("a row that a fault refuses fails alone")
    func rejection() async throws {
        try await withOrg { client in
            _ = try await client.control(
                "POST", "faults", #"{"kind": "reject", "match": {"operation": "ingest.upload"}, "record": 1, "code": "CUSTOM_APEX_ERROR", "message": "no"}"#)
            let (id, job) = try await Self.run(client, "insert", "Account", "Name\na\nb\nc\n")
            #expect(job["numberRecordsFailed"] as? Int == 1)
            #expect(try await Self.lines(client, id, "failedResults").last == #""","CUSTOM_APEX_ERROR:no:--",b"#)
        }
    }

    @Test("what Bulk saves is told to the listeners of the org, with its origin")
    func changes() async throws {
        let org = try Org(path: nil, sample: true, versions: ["62.0"])
        let seen = Changes()
        // What made the sample is told before anyone listens.
        try await org.perform { _, _ in }
        try await org.perform { state, _ in state.changeListeners.append { changes, _, _ in seen.append(changes) } }
        let csv = FileManager.default.temporaryDirectory.appendingPathComponent("bulk-\(UUID().uuidString).csv")
        try Data("Name\nA\nB\n".utf8).write(to: csv)
        let id = "750xx0000000001AAA"
        try await org.perform { state, db in
            let user = try #require(try Sessions.userId(SampleOrg.integrationUser, db))
            var job = BulkJob(id: id, version: "62.0", user: user, object: "Account", operation: .insert, created: state.stamp, state: .uploadComplete, isBulk2: true)
            job.client = "tester"
            job.upload = csv.path
            state.jobs.add(job, now: state.now)
        }
        await IngestJobRun(org: org, id: id).run()
        let committed = seen.all
        #expect(committed.map(\.origin?.text) == ["com/salesforce/api/bulkapi/62.0;client=tester"])
        #expect(committed.first?.changes.map(\.kind) == [.created, .created])
        try await org.perform { state, _ in state.jobs[id] = nil }
        #expect(!FileManager.default.fileExists(atPath: csv.path))
    }

    private final class Changes: Sendable {
        private let kept = Mutex<[CommittedChanges]>([])

        func append(_ changes: CommittedChanges) { kept.withLock { $0.append(changes) } }

        var all: [CommittedChanges] { kept.withLock { $0 } }
    }
}
