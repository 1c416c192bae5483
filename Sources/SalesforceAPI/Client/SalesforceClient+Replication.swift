import HTTPTransport

/// What `getUpdated` answers (API reference 2.10).
public struct UpdatedRecords: Sendable, Equatable, Decodable {
    public var ids: [String]
    /// As Salesforce writes it, such as `2024-01-01T00:05:00.000+0000`. It lags behind transactions still running, which is
    /// why it is the horizon of a poll.
    public var latestDateCovered: String
}

/// What `getDeleted` answers (API reference 2.10).
public struct DeletedRecords: Sendable, Equatable {
    /// The JSON array of `{"deletedDate","id"}`, for the database.
    public let records: [UInt8]
    public let count: Int
    public let latestDateCovered: String
    /// When this is later than the last look, deletions may be missing and ids must be compared.
    public let earliestDateAvailable: String
}

extension SalesforceClient {
    /// Ids of `object` that changed between two moments, ISO 8601 with a zone, such as `2024-01-01T00:00:00Z`. Salesforce cuts
    /// both to the minute and looks back at most 30 days.
    public func getUpdated(_ object: String, from start: String, to end: String) async throws(SalesforceError) -> UpdatedRecords {
        let operation = "list of updated \(object) records"
        return try decode(UpdatedRecords.self, try await replication(object, "updated", start, end, operation), operation)
    }

    /// Ids of `object` that were deleted between two moments; `start` must precede `end` by more than a minute. Looks back at
    /// most 15 days.
    public func getDeleted(_ object: String, from start: String, to end: String) async throws(SalesforceError) -> DeletedRecords {
        let operation = "list of deleted \(object) records"
        let response = try await replication(object, "deleted", start, end, operation)
        struct Horizon: Decodable {
            var latestDateCovered: String
            var earliestDateAvailable: String
        }
        let horizon = try decode(Horizon.self, response, operation)
        do throws(JSONScanner.Malformed) {
            var bytes = response.body
            var scanner = JSONScanner(from: 0, to: bytes.count)
            guard let list = try scanner.members(bytes)["deletedRecords"] else { throw JSONScanner.Malformed() }
            JSONText.keepOnly(list, of: &bytes)
            return DeletedRecords(
                records: bytes, count: try JSONText.elementCount(bytes), latestDateCovered: horizon.latestDateCovered,
                earliestDateAvailable: horizon.earliestDateAvailable)
        } catch {
            throw unreadable(operation, status: response.status)
        }
    }

    private func replication(
        _ object: String, _ resource: String, _ start: String, _ end: String, _ operation: String
    ) async throws(SalesforceError) -> HTTPResponse {
        let window = "start=\(PercentEncoding.encode(start))&end=\(PercentEncoding.encode(end))"
        return try await send(
            Call(operation: operation, path: "\(dataPath)/sobjects/\(PercentEncoding.encode(object))/\(resource)/?\(window)"))
    }
}
