internal import PostgresClient
internal import SalesforceAPI

/// The results of a Bulk 1.0 query, for API versions without a 2.0 query. With PK chunking one job has many batches, and a batch
/// may have several results; they are read in the order of their names, and the place is the name of the one to read next.
struct Bulk1Load: Sendable {
    let bulk: BulkLoad
    let plan: LoadPlan
    let jobID: String
    let progress: LoadProgress

    /// A result of a batch, by name.
    struct Place: Sendable, Equatable {
        var batch: String
        var result: String

        /// As it is kept with the load.
        var text: String { "\(batch)/\(result)" }
    }

    /// - Returns: false when it ended early because the service stops.
    func read() async throws -> Bool {
        guard let batches = try await waitForBatches() else { return false }
        var places: [Place] = []
        for batch in batches {
            for result in try await bulk.client.bulk1ResultList(jobID, batch: batch).sorted() {
                places.append(Place(batch: batch, result: result))
            }
        }
        progress.begin("LOADING_BULK_JOB", rows: plan.rows, expected: plan.expected)
        var rows = plan.rows
        for place in try Self.remaining(places, from: plan.locator) {
            if isStopping { return false }
            let next = Self.after(place, in: places)?.text
            (_, rows) = try await bulk.client.bulk1Result(jobID, batch: place.batch, result: place.result) { head, body in
                try await bulk.store(plan, head, body, nextLocator: next, rowsBefore: rows, progress)
            }
        }
        return true
    }

    static func after(_ place: Place, in places: [Place]) -> Place? {
        places.firstIndex(of: place).flatMap { $0 + 1 < places.count ? places[$0 + 1] : nil }
    }

    /// What is left to read from `locator` on; everything when there is none.
    static func remaining(_ places: [Place], from locator: String?) throws(SalesforceError) -> ArraySlice<Place> {
        guard let locator else { return places[...] }
        guard let index = places.firstIndex(where: { $0.text == locator }) else {
            throw SalesforceError(
                .restartQuery, code: "InvalidBatch", message: "the result to read next is gone", operation: "results of a bulk query")
        }
        return places[index...]
    }

    /// The batches with results, in order of their ids, once all have settled.
    private func waitForBatches() async throws -> [String]? {
        var wait = BulkLoad.firstLook
        while true {
            let batches = try await bulk.client.bulk1Batches(jobID)
            if let failed = batches.first(where: { $0.state == "Failed" }) {
                throw SalesforceError(
                    .restartQuery, code: "BULK_LOAD_ERROR", message: failed.stateMessage ?? "a batch of the bulk query failed",
                    operation: "bulk query of \(plan.object)")
            }
            // With PK chunking the first batch is only the order for the others.
            let isChunked = batches.contains { $0.state == "NotProcessed" }
            if !batches.isEmpty, batches.allSatisfy(\.isSettled), !isChunked || batches.count > 1 {
                return batches.filter { $0.state == "Completed" }.map(\.id).sorted()
            }
            await rest(for: wait)
            if isStopping { return nil }
            wait = min(wait * 1.5, BulkLoad.longestLook)
        }
    }
}
