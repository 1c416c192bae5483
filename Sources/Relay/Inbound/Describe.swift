internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// Describes the object of a mapping that was adopted from Heroku Connect, whose tables do not say how Salesforce spells names,
/// of what types fields are and what may be written. Until then nothing of it is sent or read.
struct Describe: Sendable {
    struct Answer: Decodable, Sendable {
        var described: Bool
        var reason: String?
    }

    let database: ProtocolSession
    let org: OrgAccess
    let log: EventLog

    /// - Throws: ``PostgresError`` when leadership or the session is lost. What Salesforce refuses is told to the database.
    func run(_ item: Work.DescribeItem) async throws {
        do {
            let client = try await org.ready()
            let description = try await CallPurpose.$current.withValue(CallPurpose(kind: .read, mappings: [item.mapping])) {
                try await ObjectDescriber(client: client).describe(item.object, names: item.names)
            }
            let answer = try await database.ask(Answer.self, "hc_mapping_describe", .text(item.mapping), .json(description))
            let isDescribed = answer?.described ?? false
            log.mapping(
                item.mapping, isDescribed ? "OBJECT DESCRIBED" : "OBJECT DOES NOT FIT", state: isDescribed ? "DATA_SYNCED" : "BAD_CONFIG",
                level: isDescribed ? .info : .error, ["object": .string(item.object), "error": .string(answer?.reason ?? "")])
        } catch let error as SalesforceError {
            await org.met(error)
            let failure = ReadFailure(error)
            log.mapping(item.mapping, "DESCRIBE FAILED", state: failure.kind == .configuration ? "BAD_CONFIG" : "DATA_SYNCED", level: .warning, [
                "object": .string(item.object), "error": .string(failure.message), "error_code": .string(failure.code),
            ])
            try await database.call(
                "hc_poll_failed", .text(item.mapping), .text(failure.code), .text(failure.message), .text(failure.kind.rawValue))
        } catch let error as PostgresError where error.isUnknown {
            // Removed meanwhile.
        }
    }
}
