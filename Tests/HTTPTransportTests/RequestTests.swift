import Foundation
import HTTPTransport
import TestSupport
import Testing

@Suite("requests and answers", .timeLimit(.minutes(1)))
struct RequestTests {
    @Test("method, target, headers and body reach the server as given", arguments: [
        HTTPMethod.get, .post, .put, .patch, .delete,
    ])
    func onTheWire(method: HTTPMethod) async throws {
        let server = try RawServer { $0.answerOnce("ok") }
        let body: HTTPBody = method == .get || method == .delete ? .none : .text("{\"é\":1}")
        let response = try await makeClient().send(HTTPRequest(
            method: method, url: server.url + "/a/b?q=1%202", headers: [HTTPHeader("X-One", "1"), HTTPHeader("X-Empty", "")],
            body: body))
        #expect(response.status == 200)
        #expect(response.text == "ok")
        let request = try #require(server.requests.first)
        #expect(request.method == method.rawValue)
        #expect(request.target == "/a/b?q=1%202")
        #expect(request.headers["x-one"] == "1")
        #expect(request.headers["x-empty"] == "")
        #expect(request.headers["user-agent"] == "hc-sync")
        #expect(request.headers["content-type"] == nil)
        #expect(request.headers["expect"] == nil)
        #expect(request.body == (body.isNone ? [] : Array("{\"é\":1}".utf8)))
    }

    @Test("an empty POST says that it is empty")
    func emptyPost() async throws {
        let server = try RawServer { $0.answerOnce("") }
        let response = try await makeClient().send(HTTPRequest(method: .post, url: server.url))
        #expect(response.body.isEmpty)
        #expect(server.requests.first?.headers["content-length"] == "0")
    }

    @Test("HEAD has headers and no body; any status is an answer; header names have no case")
    func statusAndHeaders() async throws {
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                if request.method == "HEAD" {
                    connection.write("HTTP/1.1 204 No Content\r\nSforce-Limit-Info: api-usage=1/100\r\n\r\n")
                } else {
                    connection.write("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n")
                    connection.answer("nope", status: "404 Not Found", headers: "X-A: one \r\nx-a: two\r\n")
                }
            }
        }
        let client = makeClient()
        let head = try await client.send(HTTPRequest(method: .head, url: server.url))
        #expect(head.status == 204)
        #expect(head.headers.first("sforce-limit-info") == "api-usage=1/100")
        let missing = try await client.send(HTTPRequest(url: server.url))
        #expect(missing.status == 404)
        #expect(missing.text == "nope")
        #expect(missing.headers.all("X-A") == ["one", "two"])
        #expect(missing.headers["x-interim"] == nil)
    }

    @Test("connections are kept and used again, and closed ones replaced")
    func reuse() async throws {
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                connection.answer("\(connection.index)", headers: request.target == "/last" ? "Connection: close\r\n" : "")
                if request.target == "/last" { return }
            }
        }
        let client = makeClient()
        var seen: [String] = []
        for path in ["/", "/", "/last", "/", "/"] {
            seen.append(try await client.send(HTTPRequest(method: .post, url: server.url + path, body: .text("x"))).text)
        }
        #expect(seen == ["1", "1", "1", "2", "2"])
    }

    @Test("bodies are compressed both ways when asked")
    func gzip() async throws {
        let text = String(repeating: "Salesforce Id,Name\n", count: 5_000)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let compressed = folder.appendingPathComponent("answer.gz").path
        try await Command.run("sh", ["-c", "gzip -c > '\(compressed)'"], input: text)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: compressed)))

        let server = try RawServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bytes.count)\r\n\r\n")
            connection.write(bytes)
        }
        let response = try await makeClient().send(
            HTTPRequest(method: .post, url: server.url, body: .text(text), compressBody: true))
        #expect(response.text == text)

        let request = try #require(server.requests.first)
        #expect(request.headers["accept-encoding"] == "gzip")
        #expect(request.headers["content-encoding"] == "gzip")
        #expect(request.body.count < text.utf8.count / 20)
        let received = folder.appendingPathComponent("request.gz")
        try Data(request.body).write(to: received)
        #expect(try await Command.run("gzip", ["-dc", received.path]) == text)
    }

    @Test("twenty requests at once share one client")
    func concurrent() async throws {
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                connection.sleep(0.1)
                connection.answer(request.target)
            }
        }
        let client = makeClient()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for n in 1...20 { group.addTask { try await client.send(HTTPRequest(url: server.url + "/\(n)")).text == "/\(n)" } }
            for try await isOwnAnswer in group { #expect(isOwnAnswer) }
        }
        #expect(server.connectionCount > 1)   // one after another would need a single one
    }

    @Test("cookies stay out unless they are asked for", arguments: [false, true])
    func cookies(on: Bool) async throws {
        let server = try RawServer { connection in
            while connection.readRequest() != nil { connection.answer("", headers: "Set-Cookie: BAYEUX_BROWSER=abc; Path=/\r\n") }
        }
        let client = makeClient(cookies: on)
        for _ in 1...2 { _ = try await client.send(HTTPRequest(url: server.url)) }
        #expect(server.requests.map { $0.headers["cookie"] } == [nil, on ? "BAYEUX_BROWSER=abc" : nil])
    }

    @Test("a proxy is used when it is set")
    func proxy() async throws {
        let proxy = try RawServer { $0.answerOnce("from proxy") }
        let client = HTTPClient(configuration: HTTPClientConfiguration(proxy: .url(proxy.url)))
        #expect(try await client.send(HTTPRequest(url: "http://org.example/x")).text == "from proxy")
        #expect(proxy.requests.first?.target == "http://org.example/x")
    }
}

extension HTTPBody {
    fileprivate var isNone: Bool {
        if case .none = self { true } else { false }
    }
}
