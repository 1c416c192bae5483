import Foundation
import Synchronization

/// A server made of plain sockets: each connection is given to a closure that reads and writes as it likes, on a thread
/// of its own. So a test can break every rule of HTTP at any byte.
final class RawServer: Sendable {
    let port: Int
    private let descriptor: Int32
    private let accepted = Atomic<Int>(0)
    private let served = Mutex<[RawRequest]>([])

    struct Failed: Error {}

    init(_ handle: @escaping @Sendable (RawConnection) -> Void) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let listens = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard listens else { throw Failed() }
        port = Int(UInt16(bigEndian: address.sin_port))
        // Threads, not a queue: a concurrent queue stops starting blocks when as many of them block as there are cores.
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                guard let self else {
                    close(connection)
                    return
                }
                let index = self.accepted.add(1, ordering: .sequentiallyConsistent).newValue
                Thread.detachNewThread { [weak self] in
                    handle(RawConnection(descriptor: connection, index: index) { request in
                        self?.served.withLock { $0.append(request) }
                    })
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    var url: String { "http://127.0.0.1:\(port)" }
    /// How many connections were made.
    var connectionCount: Int { accepted.load(ordering: .sequentiallyConsistent) }
    /// The requests read so far, of all connections.
    var requests: [RawRequest] { served.withLock { $0 } }
}

struct RawRequest: Sendable {
    var method: String
    var target: String
    var headers: [String: String]
    var body: [UInt8]
}

/// One accepted connection.
struct RawConnection {
    let descriptor: Int32
    /// 1 for the first connection of the server.
    let index: Int
    let record: (RawRequest) -> Void

    /// Reads one request with its body; nil when the client has closed.
    func readRequest() -> RawRequest? {
        guard let head = readHead() else { return nil }
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let first = lines[0].split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        var body: [UInt8] = []
        var left = Int(headers["content-length"] ?? "") ?? 0
        while left > 0, let bytes = read(atMost: left) {
            body += bytes
            left -= bytes.count
        }
        let request = RawRequest(method: String(first[0]), target: String(first[1]), headers: headers, body: body)
        record(request)
        return request
    }

    /// The lines of a request's head, so that its body can be read piece by piece.
    func readHeadLines() -> [String] {
        (readHead() ?? "").split(separator: "\r\n").map(String.init)
    }

    /// A line without its end; nil when the client has closed.
    func readLine() -> String? {
        var bytes: [UInt8] = []
        while !bytes.suffix(2).elementsEqual("\r\n".utf8) {
            guard let byte = read(atMost: 1) else { return nil }
            bytes += byte
        }
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    func read(count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = read(atMost: count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    private func readHead() -> String? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(atMost: 1) else { return nil }
            bytes += byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func read(atMost count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &bytes, count, 0)
        return got > 0 ? Array(bytes.prefix(got)) : nil
    }

    @discardableResult
    func write(_ text: String) -> Bool {
        write(Array(text.utf8))
    }

    /// False when the client has gone.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// A complete answer with its length.
    func answer(_ body: String, status: String = "200 OK", headers: String = "") {
        write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Reads one request and answers it; the connection closes after that.
    func answerOnce(_ body: String) {
        if readRequest() != nil { answer(body) }
    }

    /// Closes so that the client sees a reset instead of an end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Keeps the kernel's own buffer out of back-pressure measurements.
    func shrinkSendBuffer() {
        var size: Int32 = 32 * 1024
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    func sleep(_ seconds: Double) {
        Thread.sleep(forTimeInterval: seconds)
    }
}
