import Foundation
import Logging
@testable import SalesforceSimulator
import Testing

/// An answer as a test reads it.
struct Answer {
    var status: Int
    var headers: [String: String]
    var body: Data

    var text: String { String(decoding: body, as: UTF8.self) }

    var json: Any? { try? JSONSerialization.jsonObject(with: body) }

    var object: [String: Any] { json as? [String: Any] ?? [:] }

    var list: [[String: Any]] { json as? [[String: Any]] ?? [] }

    /// The code of a REST error.
    var errorCode: String? { list.first?["errorCode"] as? String }
}

/// Talks to a simulator as a client would.
struct OrgClient: Sendable {
    let port: UInt16
    var token = ""
    var version = "62.0"

    var host: String { "127.0.0.1:\(port)" }
    var base: String { "http://" + host }

    func send(
        _ method: String, _ path: String, body: String? = nil, type: String = "application/json", headers: [String: String] = [:]
    ) async throws -> Answer {
        try await send(method, path, data: body.map { Data($0.utf8) }, type: type, headers: headers)
    }

    func send(_ method: String, _ path: String, data: Data?, type: String, headers: [String: String]) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        if let data { head += "Content-Type: \(type)\r\nContent-Length: \(data.count)\r\n" }
        if !token.isEmpty, headers["Authorization"] == nil { head += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        return try await HTTPExchange.run(port: port, request: Data((head + "\r\n").utf8) + (data ?? Data()))
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: CharacterSet.alphanumerics) ?? text
    }

    func rest(_ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]) async throws -> Answer {
        try await send(method, "/services/data/v\(version)/" + path, body: body, headers: headers)
    }

    func query(_ soql: String, all: Bool = false, headers: [String: String] = [:]) async throws -> Answer {
        try await rest("GET", "\(all ? "queryAll" : "query")?q=" + OrgClient.encode(soql), headers: headers)
    }

    /// The values of one column.
    func column(_ soql: String, all: Bool = false) async throws -> [String] {
        let answer = try await query(soql, all: all)
        #expect(answer.status == 200, "\(answer.text)")
        let records = answer.object["records"] as? [[String: Any]] ?? []
        return records.map { record in
            let value = record.first { $0.key != "attributes" }?.value
            return value is NSNull ? "null" : "\(value ?? "absent")"
        }
    }

    func control(_ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
        let answer = try await send(method, "/_sim/" + path, body: body)
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    func soap(_ body: String, headers: String = "", session: String? = nil) async throws -> Answer {
        let envelope = """
            <?xml version="1.0" encoding="UTF-8"?>
            <e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="urn:partner.soap.sforce.com" \
            xmlns:s="urn:sobject.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
            <e:Header><u:SessionHeader><u:sessionId>\(session ?? token)</u:sessionId></u:SessionHeader>\(headers)</e:Header>\
            <e:Body>\(body)</e:Body></e:Envelope>
            """
        return try await send(
            "POST", "/services/Soap/u/\(version)", body: envelope, type: "text/xml; charset=UTF-8", headers: ["SOAPAction": "\"\""])
    }
}

/// The sample org in a file, made once: each test works on a copy.
enum SampleImage {
    private static let image = Result { () throws -> Data in
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("sample-\(UUID().uuidString).sqlite").path
        defer { remove(path) }
        do { _ = try Org(path: path, sample: true, versions: Simulator.Configuration.allVersions) }
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    static func copy() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("org-\(UUID().uuidString).sqlite").path
        try image.get().write(to: URL(fileURLWithPath: path))
        return path
    }

    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
}

/// Runs `body` against an org of its own.
func withOrg(
    sample: Bool = true, database: String? = nil, versions: [String] = Simulator.Configuration.allVersions,
    _ body: @Sendable (OrgClient) async throws -> Void
) async throws {
    let copy = sample && database == nil ? try SampleImage.copy() : nil
    defer { if let copy { SampleImage.remove(copy) } }
    let simulator = Simulator(
        .init(database: database ?? copy, sample: sample, apiVersions: versions), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await simulator.run() }
        let port = try #require(await simulator.port())
        var client = OrgClient(port: UInt16(port))
        client.token = try #require(try await client.send("POST", "/_sim/sessions", body: "{}").object["access_token"] as? String)
        let ready = client
        defer { group.cancelAll() }
        try await body(ready)
    }
}
