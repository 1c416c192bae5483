import HTTPTransport

/// One limit of the org.
public struct OrganizationLimit: Sendable, Equatable, Decodable {
    public var maximum: Int
    public var remaining: Int

    private enum CodingKeys: String, CodingKey {
        case maximum = "Max"
        case remaining = "Remaining"
    }
}

extension SalesforceClient {
    /// The limits of the org by name (API reference 2.11), `DailyApiRequests` among them. The values lag by minutes.
    public func limits() async throws(SalesforceError) -> [String: OrganizationLimit] {
        let call = Call(operation: "limits of the org", path: "\(dataPath)/limits")
        return try decode([String: OrganizationLimit].self, try await send(call), call.operation)
    }

    /// The org's clock, as `2024-01-01T00:00:00.000Z`. By SOAP; from the `Date` of a REST answer, to the second, where SOAP
    /// takes no token of this org.
    public func serverTimestamp() async throws(SalesforceError) -> String {
        let operation = "time of the org"
        if try await usesSOAP() {
            let reply = try await soap(
                "getServerTimestamp", body: [], operation: operation, isWrite: false
            ) { (reader, _) throws(XMLReader.Malformed) -> String in
                var timestamp = ""
                try reader.eachChild { (name, _, reader) throws(XMLReader.Malformed) in
                    if name == "timestamp" { timestamp = try reader.text() } else { try reader.skipElement() }
                }
                return timestamp
            }
            guard let timestamp = reply.results.first, !timestamp.isEmpty else { throw unreadable(operation, status: 200) }
            return timestamp
        }
        let response = try await send(Call(operation: operation, path: dataPath))
        guard let date = response.headers.first("Date").flatMap(HTTPDate.parse) else {
            throw unreadable(operation, status: response.status)
        }
        return HTTPDate.timestamp(date)
    }
}
