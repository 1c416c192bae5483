public import SalesforceAPI

/// Salesforce's description of an object in the form that the database takes: where a field may name a parent by external id
/// (`Account__ExternalId__c`), the parents' descriptions come with it, because the parents need not be mapped.
public struct ObjectDescriber: Sendable {
    private let client: SalesforceClient

    public init(client: SalesforceClient) { self.client = client }

    /// - Parameter names: the lower-case names of mapped fields that may be of that kind.
    public func describe(_ object: String, names: [String]) async throws -> [UInt8] {
        let described = try await client.describe(object)
        let parents = Self.parents(of: described.view, names: names)
        guard !parents.isEmpty else { return described.json }
        var json = Array(described.json.prefix(upTo: described.json.lastIndex(of: UInt8(ascii: "}")) ?? 0))
        json += #","hc_sync":{"parents":{"#.utf8
        for (index, parent) in parents.enumerated() {
            json += (index > 0 ? "," : "").utf8
            json += "\"\(parent)\":".utf8
            json += try await client.describe(parent).json
        }
        json += "}}}".utf8
        return json
    }

    static func parents(of object: ObjectDescription, names: [String]) -> [String] {
        let lookups = object.fields.filter { field in
            guard let relationship = field.relationshipName?.lowercased(), field.referenceTo.count == 1 else { return false }
            return names.contains { $0.hasPrefix(relationship + "__") && $0 != field.name.lowercased() }
        }
        return Set(lookups.compactMap(\.referenceTo.first)).subtracting([object.name]).sorted()
    }
}
