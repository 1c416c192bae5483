import Foundation

/// One HTTP exchange over a socket of its own.
///
/// A client that pools connections repeats a request by itself when a pooled one breaks, which would hide a dropped answer.
struct HTTPExchange {
    struct Broken: Error { var reason: String }

    static func run(port: UInt16, request: Data) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            // A thread of its own: the org needs the shared ones to answer.
            Thread.detachNewThread { continuation.resume(with: Result {
                try parse(try exchange(port: port, request: request), hasBody: !request.starts(with: Data("HEAD ".utf8)))
            }) }
        }
    }

    private static func exchange(port: UInt16, request: Data) throws -> Data {
        let descriptor = try open(port: port, sending: request)
        defer { close(descriptor) }
        var received = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { throw Broken(reason: "no answer in time") }
            if count == 0 { return received }
            received.append(contentsOf: buffer[..<count])
        }
    }

    /// Sends a request and leaves the socket to the caller, who closes it.
    static func open(port: UInt16, sending request: Data) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Broken(reason: "no socket") }
        var isReady = false
        defer { if !isReady { close(descriptor) } }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Broken(reason: "no connection") }
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Broken(reason: "the request was not taken") }
            sent += count
        }
        isReady = true
        return descriptor
    }

    private static func parse(_ data: Data, hasBody: Bool) throws -> Answer {
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { throw Broken(reason: "no answer") }
        let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let parts = lines[0].split(separator: " ")
        guard parts.count > 1, let status = Int(parts[1]) else { throw Broken(reason: "no status") }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            // Cookies come in a header each.
            headers[name] = name == "set-cookie" ? headers[name, default: ""] + value + "\n" : value
        }
        if status == 100 { return try parse(Data(data[end.upperBound...]), hasBody: hasBody) }
        let body = Data(data[end.upperBound...])
        if hasBody, let length = headers["content-length"].flatMap({ Int($0) }), length != body.count {
            throw Broken(reason: "\(body.count) of \(length) bytes")
        }
        return Answer(status: status, headers: headers, body: body)
    }
}
