import Foundation
import Testing

@Suite("fault plans and invariants")
struct FaultPlanTests {
    private static let plan = """
        {"seed": 42, "rate": 0.4, "calls": 20, "faults": [{"kind": "unavailable", "weight": 3}, {"kind": "dailyLimit", "weight": 1},
        {"kind": "queryTimeout", "weight": 2, "match": {"operation": "query"}}]}
        """

    private static func run(_ client: OrgClient, _ plan: String) async throws -> [Int] {
        _ = try await client.control("POST", "plan", plan)
        var statuses: [Int] = []
        for number in 0..<20 {
            statuses.append(number % 2 == 0 ? try await client.rest("GET", "limits").status : try await client.query("SELECT Id FROM User").status)
        }
        return statuses
    }

    @Test("a plan repeats with its seed, differs with another, and can be read")
    func repeats() async throws {
        try await withOrg(sample: false) { client in
            let first = try await Self.run(client, Self.plan)
            #expect(Set(first).count > 1)
            let read = try await client.control("GET", "plan").object
            let schedule = try #require(read["schedule"] as? [[String: Any]])
            #expect(read["seen"] as? Int == 20)
            for slot in schedule {
                let call = try #require(slot["call"] as? Int)
                #expect((first[call - 1] != 200) == (slot["used"] as? Bool))
            }
            #expect(first.count { $0 != 200 } == schedule.count { $0["used"] as? Bool == true })
            #expect(try await Self.run(client, Self.plan) == first)
            #expect(try await Self.run(client, Self.plan.replacing("42", with: "43")) != first)
            _ = try await client.control("DELETE", "plan")
            #expect(try await client.rest("GET", "limits").status == 200)
        }
    }

    @Test("writes are told in their order, with who wrote, and who wrote over whom")
    func invariants() async throws {
        try await withOrg { client in
            let id = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "w", "Phone": "1"}"#).object["id"] as? String)
            _ = try await client.control("PATCH", "records/Account", #"{"Id": "\#(id)", "Phone": "2"}"#)
            _ = try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Phone": "3"}"#, headers: ["Sforce-Call-Options": "client=ours"])
            let answer = try await client.control("GET", "invariants?object=Account&field=Phone&id=\(id)").object
            let values = try #require((answer["writes"] as? [[String: Any]])?.first?["values"] as? [[String: Any]])
            #expect(values.map { $0["value"] as? String } == ["1", "2", "3"])
            #expect(values.map { $0["by"] as? String } == ["integration@example.com", "admin@example.com", "integration@example.com"])
            #expect(values.last?["client"] as? String == "ours")
            let overwritten = try #require(answer["overwritten"] as? [[String: Any]])
            #expect(overwritten.map { $0["value"] as? String } == ["1", "2"])
            #expect((answer["created"] as? [String: Int])?["Account"] == 1)
            #expect((answer["updated"] as? [String: Int])?["Account"] == 2)
        }
    }
}
