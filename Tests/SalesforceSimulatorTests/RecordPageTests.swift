import Foundation
import Testing

@Suite("the page at the root")
struct RecordPageTests {
    private static func post(_ client: OrgClient, _ path: String, _ fields: [String: String], headers: [String: String] = [:]) async throws -> Answer {
        let body = fields.map { OrgClient.encode($0.key) + "=" + OrgClient.encode($0.value) }.joined(separator: "&")
        return try await client.send("POST", path, body: body, type: "application/x-www-form-urlencoded", headers: headers)
    }

    @Test("objects with their counts, recent calls with status and fault, sessions")
    func overview() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "faults", #"{"kind": "unavailable"}"#)
            _ = try await client.rest("GET", "limits")
            let count = try await client.column("SELECT Id FROM Account").count
            let page = try await client.send("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html;charset=UTF-8")
            #expect(page.text.contains("<a href=\"/page/Account\">Account</a></td><td>Account</td><td>\(count)</td>"))
            #expect(page.text.contains("<td>rest.limits</td><td></td><td>0</td><td>503</td><td>unavailable</td>"))
            #expect(page.text.contains("<td>integration@example.com</td>"))
            #expect(!page.text.contains(client.token))
        }
    }

    @Test("values, conditions and names are escaped")
    func escaping() async throws {
        try await withOrg { client in
            let evil = "<script>alert('x')</script>\\\"&"
            let id = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "\#(evil)"}"#).object["id"] as? String)
            for path in ["/page/Account", "/page/Account/\(id)", "/page/Account?where=" + OrgClient.encode("Name = '<script>'"), "/page/" + OrgClient.encode("<script>")] {
                let page = try await client.send("GET", path)
                #expect(!page.text.contains("<script"), "\(path)")
            }
            #expect(try await client.send("GET", "/page/Account").text.contains("&lt;script&gt;alert(&#39;x&#39;)"))
        }
    }

    @Test("a record is made, found by a condition, changed and deleted by hand, as the administrator")
    func changes() async throws {
        try await withOrg { client in
            let made = try await Self.post(client, "/page/Account/new", ["Name": "By hand", "Phone": "1", "_action": "save"], headers: ["Origin": client.base])
            #expect(made.status == 303)
            let id = try #require(try await client.column("SELECT Id FROM Account WHERE Name = 'By hand'").first)
            let found = try await client.send("GET", "/page/Account?where=" + OrgClient.encode("Name = 'By hand'"))
            #expect(found.text.contains("/page/Account/\(id)"))
            #expect(!found.text.contains("Analytical"))
            #expect(try await Self.post(client, "/page/Account/\(id)", ["Name": "By hand", "Phone": "2", "_action": "save"]).status == 303)
            #expect(try await client.column("SELECT LastModifiedBy.Username FROM Account WHERE Phone = '2'").count == 1)
            let refused = try await Self.post(client, "/page/Account/\(id)", ["Name": "", "_action": "save"])
            #expect(refused.status == 400)
            #expect(refused.text.contains("REQUIRED_FIELD_MISSING"))
            #expect(try await Self.post(client, "/page/Account/\(id)", ["_action": "delete"]).status == 303)
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'By hand'").isEmpty)
        }
    }

    @Test("another site's page cannot post, another name cannot read", arguments: [
        ["Origin": "https://evil.example.com"], ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"],
    ])
    func crossSite(headers: [String: String]) async throws {
        try await withOrg { client in
            let forged = try await Self.post(client, "/page/Account/new", ["Name": "forged", "_action": "save"], headers: headers)
            #expect(forged.status == 403)
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'forged'").isEmpty)
            let raw = "GET / HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n"
            #expect(try await HTTPExchange.run(port: client.port, request: Data(raw.utf8)).status == 403)
        }
    }
}
