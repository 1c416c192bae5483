import Foundation
import Testing

@Suite("Composite calls, methods and versions of REST resources")
struct CompositeTests {
    private func parts(_ answer: Answer) -> [[String: Any]] { answer.object["compositeResponse"] as? [[String: Any]] ?? [] }

    private func code(_ part: [String: Any]?) -> String? { (part?["body"] as? [[String: Any]])?.first?["errorCode"] as? String }

    @Test("a later part uses what an earlier one answered")
    func references() async throws {
        try await withOrg { client in
            let answer = try await client.rest("POST", "composite", #"""
                {"compositeRequest": [
                 {"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": "account", "body": {"Name": "Composite"}},
                 {"method": "POST", "url": "/services/data/v62.0/sobjects/Contact", "referenceId": "contact",
                  "body": {"LastName": "Part", "AccountId": "@{account.id}"}},
                 {"method": "GET", "url": "/services/data/v62.0/query?q=SELECT+Name+FROM+Account+WHERE+Id='@{account.id}'", "referenceId": "query"},
                 {"method": "GET", "url": "/services/data/v62.0/sobjects/Account/@{query.records[0].Nothing}", "referenceId": "lost"}]}
                """#)
            #expect(answer.status == 200)
            let parts = parts(answer)
            #expect(parts.map { $0["httpStatusCode"] as? Int } == [201, 201, 200, 400])
            #expect(parts.map { $0["referenceId"] as? String } == ["account", "contact", "query", "lost"])
            let account = try #require((parts[0]["body"] as? [String: Any])?["id"] as? String)
            #expect((parts[0]["httpHeaders"] as? [String: Any])?["Location"] as? String == "/services/data/v62.0/sobjects/Account/\(account)")
            #expect(try await client.column("SELECT AccountId FROM Contact WHERE LastName = 'Part'") == [account])
            #expect(code(parts[3]) == "PROCESSING_HALTED")
        }
    }

    @Test("with allOrNone one failure takes back the others")
    func allOrNone() async throws {
        try await withOrg { client in
            func body(_ allOrNone: Bool) -> String {
                #"""
                {"allOrNone": \#(allOrNone), "compositeRequest": [
                 {"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": "good", "body": {"Name": "Halves"}},
                 {"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": "bad", "body": {"Phone": "1"}}]}
                """#
            }
            let strict = parts(try await client.rest("POST", "composite", body(true)))
            #expect(strict.map { code($0) } == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"])
            #expect(try await client.column("SELECT Name FROM Account WHERE Name = 'Halves'").isEmpty)
            let lenient = parts(try await client.rest("POST", "composite", body(false)))
            #expect(lenient.map { $0["httpStatusCode"] as? Int } == [201, 400])
            #expect(try await client.column("SELECT Name FROM Account WHERE Name = 'Halves'") == ["Halves"])
        }
    }

    @Test("25 parts and 5 queries are the most, names stand once")
    func bounds() async throws {
        try await withOrg { client in
            func composite(_ url: String, _ count: Int, same: Bool = false) async throws -> Answer {
                let parts = (0..<count).map { #"{"method": "GET", "url": "\#(url)", "referenceId": "r\#(same ? 0 : $0)"}"# }.joined(separator: ",")
                return try await client.rest("POST", "composite", #"{"compositeRequest": [\#(parts)]}"#)
            }
            let limits = "/services/data/v62.0/limits"
            let query = "/services/data/v62.0/query?q=SELECT+Id+FROM+Account+LIMIT+1"
            var statuses: [Int] = []
            for (url, count) in [(limits, 25), (limits, 26), (query, 5), (query, 6)] { statuses.append(try await composite(url, count).status) }
            #expect(statuses == [200, 400, 200, 400])
            let twice = try await composite(limits, 2, same: true)
            #expect(twice.status == 400)
        }
    }

    @Test("a batch halts on the first error only when it is told to")
    func batch() async throws {
        try await withOrg { client in
            func batch(_ halt: Bool) async throws -> (hasErrors: Bool?, statuses: [Int?]) {
                let document = try await client.rest("POST", "composite/batch", #"""
                    {"haltOnError": \#(halt), "batchRequests": [{"method": "GET", "url": "v62.0/limits"},
                     {"method": "GET", "url": "v62.0/sobjects/Account/001xx000003DGb2AAG"},
                     {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "In a batch"}}]}
                    """#).object
                return (document["hasErrors"] as? Bool, (document["results"] as? [[String: Any]] ?? []).map { $0["statusCode"] as? Int })
            }
            let halted = try await batch(true)
            #expect(halted.hasErrors == true)
            #expect(halted.statuses == [200, 404, 412])
            #expect(try await client.column("SELECT Name FROM Account WHERE Name = 'In a batch'").isEmpty)
            #expect(try await batch(false).statuses == [200, 404, 201])
        }
    }

    @Test("a tree saves parents with their children, or nothing")
    func tree() async throws {
        try await withOrg { client in
            func body(_ second: String) -> String {
                #"""
                {"records": [{"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Trunk", "Contacts": {"records": [
                 {"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "Leaf"},
                 {"attributes": {"type": "Contact", "referenceId": "c2"}, \#(second)}]}}]}
                """#
            }
            let refused = try await client.rest("POST", "composite/tree/Account", body(#""FirstName": "nameless""#))
            #expect(refused.status == 400)
            #expect((refused.object["results"] as? [[String: Any]])?.map { $0["referenceId"] as? String } == ["c2"])
            #expect(try await client.column("SELECT Name FROM Account WHERE Name = 'Trunk'").isEmpty)
            let saved = try await client.rest("POST", "composite/tree/Account", body(#""LastName": "Branch""#))
            #expect(saved.status == 201)
            #expect(try await client.column("SELECT LastName FROM Contact WHERE Account.Name = 'Trunk' ORDER BY LastName") == ["Branch", "Leaf"])
        }
    }

    @Test("each resource answers from the version that has it, and only its methods")
    func availability() async throws {
        try await withOrg { client in
            var old = client
            for (version, path, method, known): (String, String, String, Bool) in [
                ("41.0", "composite/sobjects?ids=001xx000003DGb2AAG", "DELETE", false), ("42.0", "composite/sobjects?ids=001xx000003DGb2AAG", "DELETE", true),
                ("37.0", "composite", "POST", false), ("38.0", "composite", "POST", true),
                ("45.0", "composite/sobjects/Account/ExternalId__c", "PATCH", false), ("46.0", "composite/sobjects/Account/ExternalId__c", "PATCH", true),
            ] {
                old.version = version
                let answer = try await old.rest(method, path, method == "DELETE" ? nil : "{}")
                #expect((answer.errorCode != "NOT_FOUND") == known, "\(method) \(path) in \(version): \(answer.text)")
            }
            let refused = try await client.rest("DELETE", "limits")
            #expect(refused.status == 405)
            #expect(refused.headers["allow"] == "GET, HEAD")
            #expect(refused.errorCode == "METHOD_NOT_ALLOWED")
            let text = try await client.send("POST", "/services/data/v62.0/sobjects/Account", body: "Name=x", type: "text/plain")
            #expect(text.status == 415)
            #expect(text.errorCode == "UNSUPPORTED_MEDIA_TYPE")
            let head = try await client.rest("HEAD", "limits")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }
}
