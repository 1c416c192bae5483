import HTTPTransport
import Synchronization
import Testing

@Suite("streamed answers", .timeLimit(.minutes(1)))
struct StreamTests {
    struct Stop: Error {}

    @Test("pieces come as the server sends them, after the head")
    func chunked() async throws {
        let taken = Counter()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind: csv\r\n\r\n")
            for (index, piece) in ["one", "two", "three"].enumerated() {
                // The next is written only when this one has been read: no piece waits for another.
                while taken.value < index { connection.sleep(0.01) }
                connection.write(String(piece.utf8.count, radix: 16) + "\r\n\(piece)\r\n")
            }
            connection.write("0\r\nX-Trailer: 1\r\n\r\n")
        }
        let (head, pieces) = try await makeClient().stream(HTTPRequest(url: server.url)) { head, body in
            var pieces: [String] = []
            while let piece = try await body.next() {
                pieces.append(String(decoding: piece, as: UTF8.self))
                taken.increment()
            }
            #expect(try await body.next() == nil)
            return (head, pieces)
        }
        #expect(head.status == 200)
        #expect(head.headers.first("x-kind") == "csv")
        #expect(head.headers.first("x-trailer") == nil)
        #expect(pieces == ["one", "two", "three"])
    }

    @Test("a reader that stops makes the server's writes stop; nothing is lost, and a pause is no stall")
    func backPressure() async throws {
        let written = Counter()
        let block = 64 * 1024
        let blocks = 512
        let server = try RawServer { connection in
            connection.shrinkSendBuffer()
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(blocks * block)\r\n\r\n")
            for n in 0..<blocks {
                guard connection.write([UInt8](repeating: UInt8(n % 251), count: block)) else { return }
                written.increment()
            }
        }
        let request = HTTPRequest(url: server.url, timeouts: HTTPTimeouts(stall: .milliseconds(300)))
        let sum = try await makeClient().stream(request) { _, body in
            var whole = try #require(try await body.next()).map(Int.init).reduce(0, +)
            var early = -1
            while written.value != early {
                early = written.value
                try await Task.sleep(for: .milliseconds(500))
            }
            #expect(early < blocks / 2, "\(early) blocks of 64 KiB are waiting somewhere")
            while let piece = try await body.next() {
                #expect(piece.count <= 256 * 1024 + block)
                whole += piece.reduce(0) { $0 + Int($1) }
            }
            return whole
        }
        #expect(sum == (0..<blocks).reduce(0) { $0 + $1 % 251 * block })
    }

    @Test("a cut in the body throws after what had come")
    func cut() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            connection.sleep(0.2)
        }
        var received = ""
        let error = await httpError {
            try await makeClient().stream(HTTPRequest(url: server.url)) { _, body in
                while let piece = try await body.next() { received += String(decoding: piece, as: UTF8.self) }
            }
        }
        #expect(error?.code == .connectionLost)
        #expect(received == "half")
    }

    @Test("leaving early ends the transfer and frees the client for others")
    func leavesEarly() async throws {
        let ended = Counter()
        let server = try RawServer { connection in
            guard let request = connection.readRequest() else { return }
            if request.target == "/next" { return connection.answer("next") }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while connection.write([UInt8](repeating: 0, count: 65_536)) {}
            ended.increment()
        }
        let client = makeClient()
        await #expect(throws: Stop.self) {
            try await client.stream(HTTPRequest(url: server.url)) { _, body in
                _ = try await body.next()
                throw Stop()
            }
        }
        #expect(try await client.send(HTTPRequest(url: server.url + "/next")).text == "next")
        for _ in 0..<100 where ended.value == 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(ended.value == 1)
    }

    @Test("cancelling ends a read that waits")
    func cancellation() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
            connection.sleep(5)
        }
        let waiting = Counter()
        let task = Task {
            try await makeClient().stream(HTTPRequest(url: server.url)) { _, body in
                while try await body.next() != nil { waiting.increment() }
            }
        }
        while waiting.value == 0 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await httpError { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test("a failure before the head throws, and the body closure is not called")
    func failsBeforeHead() async throws {
        let server = try RawServer { _ = $0.readRequest() }
        let calls = Counter()
        let error = await httpError {
            try await makeClient().stream(HTTPRequest(url: server.url)) { _, _ in calls.increment() }
        }
        #expect(error?.code == .connectionLost)
        #expect(calls.value == 0)
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    func increment() { count.add(1, ordering: .sequentiallyConsistent) }
}
