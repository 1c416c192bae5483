import Testing

@testable import PostgresClient

@Suite("addresses of a connection string")
struct ServerAddressTests {
    @Test("hosts, addresses and ports are lists; one port is that of all", arguments: [
        ("a,b", "", "5433", ["a:5433", "b:5433"]), ("a,b", "", "1,2", ["a:1", "b:2"]), ("a,b", "", "1,", ["a:1", "b:5432"]),
        ("", "10.0.0.1,::1", "", ["10.0.0.1:5432", "[::1]:5432"]), ("a,", "10.0.0.1,10.0.0.2", "5432", ["a:5432", "10.0.0.2:5432"]),
        ("/run/pg", "", "5432", ["/run/pg:5432"]), ("", "", "5432", []),
    ])
    func lists(hosts: String, addresses: String, ports: String, expected: [String]) {
        #expect(ServerAddress.list(hosts: hosts, addresses: addresses, ports: ports).map(\.description) == expected)
    }

    @Test("a session knows where it leads, and what else is listed")
    func session() async throws {
        try await withSession { session in
            let address = try #require(await session.address)
            #expect(address.host.hasPrefix("/"))
            #expect(await session.listedAddresses == [address])
        }
    }
}
