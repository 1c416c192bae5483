import Foundation
@testable import SalesforceSimulator
import Testing

@Suite("WSDL")
struct WSDLTests {
    private static func all(_ node: XMLElementNode) -> [XMLElementNode] { [node] + node.children.flatMap(all) }

    @Test("every operation, message, element and type that is named is there")
    func complete() async throws {
        try await withOrg { client in
            let answer = try await client.send("GET", "/services/wsdl/partner")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"]?.hasPrefix("text/xml") == true)
            let nodes = Self.all(try XMLTreeBuilder.parse(answer.body))
            func names(_ kind: String) -> Set<String> { Set(nodes.filter { $0.name == kind }.compactMap { $0.attributes["name"] }) }
            let operations: Set<String> = [
                "login", "create", "update", "upsert", "delete", "undelete", "emptyRecycleBin", "query", "queryAll", "queryMore", "retrieve",
                "getUpdated", "getDeleted", "describeGlobal", "describeSObjects", "describeSObject", "getServerTimestamp", "getUserInfo",
                "logout", "invalidateSessions",
            ]
            #expect(names("operation") == operations)
            let types = names("complexType").union(names("simpleType"))
            for node in nodes {
                for key in ["type", "base", "element", "message"] {
                    guard let value = node.attributes[key], value.hasPrefix("tns:") || value.hasPrefix("sf:") || value.hasPrefix("fns:") else { continue }
                    let name = String(value.split(separator: ":")[1])
                    let known = switch key {
                    case "element": names("element").contains(name)
                    case "message": names("message").contains(name)
                    default: types.contains(name) || ["SoapBinding", "Soap"].contains(name)
                    }
                    #expect(known, "\(key) \(value)")
                }
            }
            let header = try #require(nodes.first { $0.name == "message" && $0.attributes["name"] == "Header" })
            let parts = Set(header.children.compactMap { $0.attributes["name"] })
            for node in nodes where node.name == "header" { #expect(parts.contains(node.attributes["part"] ?? ""), "\(node.attributes)") }
            let address = try #require(nodes.first { $0.name == "address" && $0.attributes["location"] != nil })
            #expect(address.attributes["location"] == client.base + "/services/Soap/u/64.0")
        }
    }

    @Test("the address of another version, and no login where it is gone")
    func versions() async throws {
        try await withOrg { client in
            #expect(try await client.send("GET", "/services/Soap/u/58.0?wsdl").text.contains("/services/Soap/u/58.0\""))
            #expect(try await client.send("GET", "/services/wsdl/partner?version=65.0").text.contains("name=\"login\"") == false)
            #expect(try await client.send("GET", "/services/wsdl/partner?version=99.0").status == 404)
            var newest = client
            newest.version = "65.0"
            let login = "<u:login><u:username>integration@example.com</u:username><u:password>sample-password</u:password></u:login>"
            #expect(try await newest.soap(login).text.contains("<faultcode>soapenv:Client</faultcode>"))
            _ = try await client.control("PATCH", "settings", #"{"soap": {"lastLoginVersion": null}}"#)
            #expect(try await newest.soap(login).text.contains("<sessionId>"))
        }
    }
}
