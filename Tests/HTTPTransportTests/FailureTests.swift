import Foundation
import HTTPTransport
import TestSupport
import Testing

/// `requestWasWritten` decides whether a write may be sent again: false only where nothing can have arrived.
@Suite("failures", .timeLimit(.minutes(1)))
struct FailureTests {
    @Test("a refused connection wrote nothing")
    func refused() async throws {
        let port = try FreePort.find()
        let error = try #require(await httpError {
            _ = try await makeClient().send(
                HTTPRequest(method: .post, url: "http://127.0.0.1:\(port)/p?token=hunter2", body: .text("x")))
        })
        #expect(error.code == .couldNotConnect)
        #expect(!error.requestWasWritten)
        #expect("\(error)".contains("127.0.0.1:\(port)"))
        #expect(!"\(error)".contains("hunter2"))
    }

    @Test("what cannot be sent is refused before anything is written", arguments: [
        (HTTPRequest(url: "ftp://127.0.0.1/"), HTTPError.Code.badURL),
        (HTTPRequest(url: "not a url"), .badURL),
        (HTTPRequest(url: "http://127.0.0.1/\r\nX: 1"), .badURL),
        (HTTPRequest(url: "http://127.0.0.1/", headers: [HTTPHeader("A", "b\r\nC: d")]), .badRequest),
        (HTTPRequest(url: "http://127.0.0.1/", headers: [HTTPHeader("A:", "b")]), .badRequest),
        (HTTPRequest(url: "http://no-such-host.invalid/"), .couldNotResolve),
    ])
    func unsendable(request: HTTPRequest, code: HTTPError.Code) async throws {
        let error = await httpError { _ = try await makeClient().send(request) }
        #expect(error?.code == code)
        #expect(error?.requestWasWritten == false)
    }

    @Test("a cut after the request was read, with and without a reset, was written", arguments: [false, true])
    func cutAfterRequest(withReset: Bool) async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            if withReset { connection.reset() }
        }
        let error = await httpError {
            _ = try await makeClient().send(HTTPRequest(method: .post, url: server.url, body: .text("x")))
        }
        #expect(error?.code == .connectionLost)
        #expect(error?.requestWasWritten == true)
        #expect(server.requests.count == 1)
    }

    @Test("a write on a kept connection that dies after reading it is not sent again", arguments: [
        HTTPMethod.post, .patch, .put, .delete,
    ])
    func deadKeptConnection(method: HTTPMethod) async throws {
        let server = try RawServer { connection in
            var answered = false
            while connection.readRequest() != nil {
                if connection.index == 1 && answered { return connection.reset() }
                connection.answer("ok")
                answered = true
            }
        }
        let client = makeClient()
        _ = try await client.send(HTTPRequest(url: server.url + "/first"))
        let body: HTTPBody = method == .delete ? .none : .text("write")
        let error = await httpError { _ = try await client.send(HTTPRequest(method: method, url: server.url + "/write", body: body)) }
        #expect(error?.code == .connectionLost)
        #expect(error?.requestWasWritten == true)
        #expect(server.requests.map(\.target) == ["/first", "/write"])
        #expect(try await client.send(HTTPRequest(method: method, url: server.url + "/next", body: body)).text == "ok")
    }

    @Test("a read on a kept connection that dies is repeated on a new one")
    func deadKeptConnectionRead() async throws {
        let server = try RawServer { connection in
            var answered = false
            while connection.readRequest() != nil {
                if connection.index == 1 && answered { return }
                connection.answer("ok")
                answered = true
            }
        }
        let client = makeClient()
        for _ in 1...2 { #expect(try await client.send(HTTPRequest(url: server.url)).text == "ok") }
        #expect(server.connectionCount == 2)
        #expect(server.requests.count == 3)
    }

    @Test("a write after the server has closed the kept connection in peace goes over a new one")
    func closedKeptConnection() async throws {
        let server = try RawServer { connection in
            if connection.readRequest() != nil { connection.answer("ok") }
        }
        let client = makeClient()
        for _ in 1...2 {
            #expect(try await client.send(HTTPRequest(method: .post, url: server.url, body: .text("x"))).text == "ok")
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(server.requests.count == 2)
    }

    @Test("an answer cut in its body is no answer")
    func cutInBody() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        }
        let error = await httpError { _ = try await makeClient().send(HTTPRequest(method: .post, url: server.url, body: .text("x"))) }
        #expect(error?.code == .connectionLost)
        #expect(error?.requestWasWritten == true)
    }

    @Test("what is not HTTP is a bad answer")
    func garbage() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("SSH-2.0-OpenSSH\r\n\r\n")
        }
        let error = await httpError { _ = try await makeClient().send(HTTPRequest(url: server.url)) }
        #expect(error?.code == .badResponse)
    }

    @Test("an answer over the limit fails, one at the limit passes")
    func bodyTooLarge() async throws {
        let server = try RawServer { $0.answerOnce(String(repeating: "x", count: 1000)) }
        let client = makeClient()
        #expect(try await client.send(HTTPRequest(url: server.url), maximumBodyBytes: 1000).body.count == 1000)
        let error = await httpError { _ = try await client.send(HTTPRequest(url: server.url), maximumBodyBytes: 999) }
        #expect(error?.code == .bodyTooLarge)
    }

    @Test("time runs out: in total, in a stall, and not while bytes keep moving")
    func timeouts() async throws {
        let server = try RawServer { connection in
            guard let request = connection.readRequest() else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in 1...10 {
                connection.sleep(request.target == "/slow" ? 0.1 : 0)
                if request.target == "/silent" { connection.sleep(5) }
                guard connection.write("x") else { return }
            }
        }
        let client = makeClient()
        func run(_ path: String, _ timeouts: HTTPTimeouts) async -> (error: HTTPError?, took: Duration) {
            let start = ContinuousClock.now
            let error = await httpError {
                _ = try await client.send(HTTPRequest(method: .post, url: server.url + path, body: .text("x"), timeouts: timeouts))
            }
            return (error, ContinuousClock.now - start)
        }
        let total = await run("/slow", HTTPTimeouts(total: .milliseconds(400)))
        #expect(total.error?.code == .timedOut && total.error?.requestWasWritten == true)
        #expect(total.took >= .milliseconds(390), "\(total.took)")
        let stalled = await run("/silent", HTTPTimeouts(stall: .milliseconds(400)))
        #expect(stalled.error?.code == .stalled && stalled.error?.requestWasWritten == true)
        #expect(stalled.took >= .milliseconds(390), "\(stalled.took)")
        let moving = await run("/slow", HTTPTimeouts(stall: .milliseconds(400)))
        #expect(moving.error == nil)
    }

    @Test("cancelling ends a request at once; before the start nothing is written")
    func cancellation() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.sleep(5)
        }
        let client = makeClient()
        let request = HTTPRequest(method: .post, url: server.url, body: .text("x"))
        let task = Task { try await client.send(request) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await httpError { _ = try await task.value }
        #expect(error?.code == .cancelled && error?.requestWasWritten == true)

        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await client.send(request)
        }
        early.cancel()
        let before = await httpError { try await early.value }
        #expect(before?.code == .cancelled && before?.requestWasWritten == false)
    }
}
