internal import Foundation
internal import SalesforceAPI

/// What travels in one Salesforce request, as the database hands it out (`hc_claim_calls`): one batch, or several of one
/// operation, whose records follow each other in the order of the batches.
struct CallRequest: Decodable, Sendable, Equatable {
    enum API: String, Decodable, Sendable {
        /// One request and its answer: SOAP, or REST collections.
        case single
        /// A job of Bulk 1.0 or 2.0, always of one batch.
        case bulk1, bulk2
    }

    var call: Int
    var api: API
    var operation: BatchRequest.Operation
    var externalIDField: String?
    var batches: [BatchRequest]

    private enum CodingKeys: String, CodingKey {
        case call, api, operation, batches
        case externalIDField = "external_id_field"
    }

    static func read(_ json: String?) throws -> [CallRequest] {
        guard let json else { return [] }
        return try RelaySession.decode(json, as: [CallRequest].self, from: "hc_claim_calls")
    }

    var recordCount: Int { batches.reduce(0) { $0 + $1.records.count } }

    /// Requests that carry the call: itself, or one for each batch where an API takes one type only, or where the batches ask
    /// for different options, which hold for a whole request.
    /// - Parameter mixes: whether records of several types may travel together.
    func requests(mixes: Bool) -> [CallRequest] {
        let hasOneKind = batches.dropFirst().allSatisfy { $0.writeOptions == batches[0].writeOptions && (mixes || $0.object == batches[0].object) }
        if hasOneKind { return [self] }
        return batches.map { batch in
            var request = self
            request.batches = [batch]
            return request
        }
    }

    /// The reply's results batch by batch. Their order is the only correlation there is.
    /// - Parameter reply: a result for each record of the call.
    func split(_ reply: WriteReply) -> [BatchAnswer] {
        var rest = reply.results[...]
        return batches.map { batch in
            let results = Array(rest.prefix(batch.records.count))
            rest = rest.dropFirst(batch.records.count)
            return BatchAnswer(
                batch: batch.batch,
                outcome: .answered(WriteReply(results: results, requestID: reply.requestID, duration: reply.duration)))
        }
    }
}

/// What became of one batch of a call.
struct BatchAnswer: Sendable, Equatable {
    var batch: Int
    var outcome: BatchOutcome

    /// An element of what `hc_answer_batches` takes.
    var json: String { #"{"batch":\#(batch),"outcome":"\#(outcome.name)","answer":\#(outcome.json)}"# }
}

extension SalesforceClient {
    /// Sends the call in one request.
    func send(_ call: CallRequest) async throws(SalesforceError) -> WriteReply {
        let options = call.batches.first?.writeOptions ?? WriteOptions()
        switch call.operation {
        case .create: return try await create(call.batches.flatMap(\.writeRecords), options: options)
        case .update: return try await update(call.batches.flatMap(\.writeRecords), options: options)
        case .delete: return try await delete(ids: call.batches.flatMap { $0.records.map { $0.id ?? "" } }, options: options)
        case .undelete: return try await undelete(ids: call.batches.flatMap { $0.records.map { $0.id ?? "" } }, options: options)
        case .upsert:
            guard let field = call.externalIDField else {
                throw SalesforceError(
                    .bug, code: "MISSING_ARGUMENT", message: "an upsert needs the name of its external id", operation: "upsert")
            }
            return try await upsert(call.batches.flatMap(\.writeRecords), externalIDField: field, options: options)
        }
    }
}
