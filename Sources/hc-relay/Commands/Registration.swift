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

    /// The same for one mapping, logged in for it.
    func description(of mapping: Wanted) async throws -> [UInt8] {
        try await description(of: mapping, try await place.salesforce(apiVersion: connection.apiVersion))
    }

    private func description(of mapping: Wanted, _ client: SalesforceClient) async throws -> [UInt8] {
        let names = try await place.session.postgres.query(
            "SELECT lower(f) FROM jsonb_object_keys($1::jsonb -> 'fields') f WHERE strpos(f, '__') > 0", [.json(mapping.config)]
        ).rows.compactMap { $0[0] }
        return try await ObjectDescriber(client: client).describe(mapping.object, names: names)
    }
}
