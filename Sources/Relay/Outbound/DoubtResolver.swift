internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// Reads from Salesforce what the database needs to decide a batch whose answer was lost. The relay decides nothing itself.
struct DoubtResolver: Sendable {
    struct Question: Decodable, Sendable {
        enum Way: String, Decodable, Sendable { case retrieve, lookup }
        var way: Way
        var mapping: String
        var object: String?
        var fields: [String]?
        var ids: [String]?
        var soql: String?
    }

    let database: ProtocolSession
    let org: OrgAccess
    let log: EventLog

    /// The most candidates that are looked at; more than that are for a person.
    static let maximumCandidates = 2000

    /// - Returns: nil when the question was answered; otherwise how long to leave doubts alone.
    func resolve(_ batch: Int) async throws -> Duration? {
        do {
            guard let question = try await database.ask(Question.self, "hc_doubt", .int(batch)) else { return nil }
            let records = try await CallPurpose.$current.withValue(CallPurpose(kind: .write, mappings: [question.mapping])) { try await read(question) }
            try await database.call("hc_doubt_resolve", .int(batch), .json(records))
            log.sync("LOST ANSWER EXAMINED", state: "POLLING_DB_CHANGES", level: .notice, [
                "batch": .stringConvertible(batch), "way": .string(question.way.rawValue),
            ])
            return nil
        } catch let error as SalesforceError {
            await org.met(error)
            log.sync("LOST ANSWER NOT EXAMINED YET", state: "POLLING_DB_CHANGES", level: .warning, [
                "batch": .stringConvertible(batch), "error": .stringConvertible(error), "error_code": .string(error.code ?? ""),
            ])
            return error.retryAfter ?? .seconds(5)
        } catch let error as PostgresError where error.isWrongState || error.isUnknown {
            return nil   // decided meanwhile
        }
    }

    private func read(_ question: Question) async throws -> [UInt8] {
        let client = try await org.ready()
        switch question.way {
        case .retrieve:
            return try await client.retrieve(question.object ?? "", fields: question.fields ?? [], ids: question.ids ?? []).records
        case .lookup:
            var pages = client.query(question.soql ?? "")
            var joined = RecordArray()
            while joined.count < Self.maximumCandidates, let page = try await pages.next() {
                joined.append(page.records, count: page.count)
            }
            return joined.bytes
        }
    }
}

/// Joins pages of records, each a JSON array, into one array without reading them.
struct RecordArray {
    private var inner: [UInt8] = []
    private(set) var count = 0

    var bytes: [UInt8] { [UInt8(ascii: "[")] + inner + [UInt8(ascii: "]")] }

    /// - Parameter page: a JSON array with `count` elements.
    mutating func append(_ page: [UInt8], count pageCount: Int) {
        guard pageCount > 0, let open = page.firstIndex(of: UInt8(ascii: "[")), let close = page.lastIndex(of: UInt8(ascii: "]"))
        else { return }
        if count > 0 { inner.append(UInt8(ascii: ",")) }
        inner.append(contentsOf: page[(open + 1)..<close])
        count += pageCount
    }
}
