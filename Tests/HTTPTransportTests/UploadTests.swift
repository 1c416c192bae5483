import HTTPTransport
import Testing

@Suite("streamed requests", .timeLimit(.minutes(1)))
struct UploadTests {
    struct Stop: Error {}

    private static let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"

    /// Reads a chunked body to its end, piece by piece; nil when it was cut.
    private static func chunkedBody(_ connection: RawConnection, each: (Int) -> Void = { _ in }) -> Int? {
        var total = 0
        while let size = connection.readLine().flatMap({ Int($0, radix: 16) }) {
            guard size > 0 else { return connection.readLine() == "" ? total : nil }
            guard connection.read(count: size) != nil, connection.readLine() == "" else { return nil }
            total += size
            each(total)
        }
        return nil
    }

    @Test("pieces go out as they come, in chunks, and the answer comes back whole")
    func pieces() async throws {
        let received = Counter()
        let server = try RawServer { connection in
            let head = connection.readHeadLines()
            #expect(head.first == "PUT /batches HTTP/1.1")
            #expect(head.contains { $0.lowercased() == "transfer-encoding: chunked" })
            #expect(head.contains("Content-Type: text/csv"))
            #expect(Self.chunkedBody(connection, each: { _ in received.increment() }) == 9)
            connection.write(Self.answer)
        }
        let request = HTTPRequest(method: .put, url: server.url + "/batches", headers: [HTTPHeader("Content-Type", "text/csv")])
        let response = try await makeClient().upload(request) { writer in
            for (index, piece) in ["abc", "def", "ghi"].enumerated() {
                try await writer.write(Array(piece.utf8))
                // Each is on the other side before the next exists: nothing waits for the end.
                while received.value <= index { try await Task.sleep(for: .milliseconds(5)) }
            }
        }
        #expect(response.status == 201)
        #expect(response.text == "ok")
    }

    @Test("a server that reads slowly makes the source wait, and a slow source is no stall")
    func backPressure() async throws {
        let block = 64 * 1024, blocks = 400
        let go = Counter()
        let server = try RawServer { connection in
            _ = connection.readHeadLines()
            while go.value == 0 { connection.sleep(0.01) }
            if Self.chunkedBody(connection) == block * blocks { connection.write(Self.answer) }
        }
        let written = Counter()
        let request = HTTPRequest(method: .post, url: server.url, timeouts: HTTPTimeouts(stall: .seconds(1)))
        let response = try await makeClient().upload(request) { writer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await Task.sleep(for: .milliseconds(500))
                    // The sockets' buffers hold a few MB; the rest still waits for the reader.
                    #expect(written.value < blocks / 2)
                    go.increment()
                }
                for _ in 0..<blocks {
                    try await writer.write([UInt8](repeating: 7, count: block))
                    written.increment()
                }
                try await group.waitForAll()
            }
            // Longer than the stall timeout.
            try await Task.sleep(for: .milliseconds(1500))
        }
        #expect(response.status == 201)
    }

    @Test("a source that throws breaks the request off: the server never sees its end")
    func sourceThrows() async throws {
        let outcome = Counter()
        let server = try RawServer { connection in
            _ = connection.readHeadLines()
            if Self.chunkedBody(connection) == nil { outcome.increment() }
        }
        await #expect(throws: Stop.self) {
            _ = try await makeClient().upload(HTTPRequest(method: .put, url: server.url)) { writer in
                try await writer.write(Array("half".utf8))
                try await Task.sleep(for: .milliseconds(100))
                throw Stop()
            }
        }
        for _ in 0..<100 where outcome.value == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(outcome.value == 1)
    }

    @Test("an early answer ends the source, and is the answer")
    func earlyAnswer() async throws {
        let server = try RawServer { connection in
            _ = connection.readHeadLines()
            connection.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            connection.sleep(0.5)
        }
        var pieces = 0
        let response = try await makeClient().upload(HTTPRequest(method: .put, url: server.url)) { writer in
            for _ in 0..<10_000 {
                try await writer.write([UInt8](repeating: 1, count: 64 * 1024))
                pieces += 1
            }
        }
        #expect(response.status == 401)
        #expect(response.text == "no")
        #expect(pieces < 10_000)
    }

    @Test("a connection cut in the middle is a failure after the request was written")
    func cut() async throws {
        let server = try RawServer { connection in
            _ = connection.readHeadLines()
            _ = connection.read(count: 1000)
        }
        let error = await httpError {
            _ = try await makeClient().upload(HTTPRequest(method: .put, url: server.url)) { writer in
                for _ in 0..<10_000 { try await writer.write([UInt8](repeating: 1, count: 64 * 1024)) }
            }
        }
        #expect(error?.requestWasWritten == true)
    }

    @Test("cancelling the task ends the upload")
    func cancelled() async throws {
        let server = try RawServer { connection in
            _ = connection.readHeadLines()
            connection.sleep(40)
        }
        let task = Task {
            try await makeClient().upload(HTTPRequest(method: .put, url: server.url)) { writer in
                while true { try await writer.write([UInt8](repeating: 1, count: 64 * 1024)) }
            }
        }
        try await Task.sleep(for: .milliseconds(200))
        let begun = ContinuousClock.now
        task.cancel()
        let error = await httpError { _ = try await task.value }
        #expect(error?.code == .cancelled)
        #expect(ContinuousClock.now - begun < .seconds(20))
    }
}
