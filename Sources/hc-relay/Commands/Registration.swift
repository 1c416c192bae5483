import PostgresClient
import Relay
import SalesforceAPI

/// Registers mappings: describes each object at Salesforce, then writes all of them, or none.
struct Registration: Sendable {
    /// One mapping, with its configuration as the database normalised it.
    struct Wanted: Sendable {
        var object: String
        var config: String
    }

    let place: Workplace
    let connection: ConnectionOptions.Found

    /// - Returns: the ids of the new mappings, in the order given. Their first loads follow.
    func register(_ wanted: [Wanted]) async throws -> [String] {
        let client = try await place.salesforce(apiVersion: connection.apiVersion)
        var descriptions: [(wanted: Wanted, json: [UInt8])] = []
        for mapping in wanted { descriptions.append((mapping, try await description(of: mapping, client))) }
        let ids = try await place.session.postgres.transaction { transaction in
            var ids: [String] = []
            for (mapping, json) in descriptions {
                let id = try await transaction.query(
                    "SELECT public.hc_mapping_register($1, $2, $3, $4)",
                    [.text(connection.id), .text(mapping.object), .json(mapping.config), .json(json)]
                ).onlyRow()[0]
                ids.append(id ?? "")
            }
            return ids
        }
        try await place.session.call("hc_wake", [.text(connection.id)])
        return ids
    }

    /// The object's describe. Where a field may name a parent by external id (`Account__ExternalId__c`), the describes of the
    /// parents come with it, because the parents need not be mapped.
    private func description(of mapping: Wanted, _ client: SalesforceClient) async throws -> [UInt8] {
        let described = try await client.describe(mapping.object)
        let parents = try await parents(of: mapping, described.view)
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

    private func parents(of mapping: Wanted, _ object: ObjectDescription) async throws -> [String] {
        let names = try await place.session.postgres.query(
            "SELECT lower(f) FROM jsonb_object_keys($1::jsonb -> 'fields') f WHERE strpos(f, '__') > 0", [.json(mapping.config)]
        ).rows.compactMap { $0[0] }
        let lookups = object.fields.filter { field in
            guard let relationship = field.relationshipName?.lowercased(), field.referenceTo.count == 1 else { return false }
            return names.contains { $0.hasPrefix(relationship + "__") && $0 != field.name.lowercased() }
        }
        return Set(lookups.compactMap(\.referenceTo.first)).subtracting([object.name]).sorted()
    }
}
