import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore

/// Carries requests to the org and answers to the connection.
struct Responder: Sendable {
    let exchange: Exchange
    let logger: Logger

    /// Bytes of a request body; Salesforce's own limit is 50 MB.
    private static let largestBody = 52_428_800
    private static let chunk: Int64 = 256 * 1024

    /// The connection was closed on purpose.
    struct Dropped: Error {}

    func respond(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let target = request.head.path ?? "/"
        var headers: [String: String] = [:]
        var headerBytes = target.utf8.count
        for field in request.headers {
            // The codec cuts the cookies of one header into as many fields.
            headers[field.name.canonicalName] = field.name == .cookie && headers["cookie"] != nil
                ? headers["cookie", default: ""] + "; " + field.value : field.value
            headerBytes += field.name.rawName.utf8.count + field.value.utf8.count
        }
        headers["host"] = request.head.authority ?? headers["host"]
        let identifier = String(UUID().uuidString.prefix(8)).lowercased()
        var reply: Reply
        if target.utf8.count > 16_384 {
            reply = Reply(414)
        } else if headerBytes > 16_384 {
            reply = Reply(431)
        } else {
            do {
                let spools = SpooledBody.takes(request.method.rawValue, target)
                let spooled = spools ? try await SpooledBody.receive(request.body) : nil
                defer { spooled?.discard() }
                let body = spools ? Data() : Data(try await request.body.collect(upTo: Responder.largestBody).readableBytesView)
                var sim = SimRequest(
                    method: request.method.rawValue, target: target, headers: headers, body: body, identifier: identifier,
                    localPort: channel.localAddress?.port)
                sim.spooled = spooled
                if sim.segments.first?.lowercased() == "cometd" { sim.connection = await ConnectionWatch.of(channel) }
                reply = try await exchange.answer(sim)
            } catch let error as JSONParser.Failure {
                reply = .json(400, [["message": .string("\(error.message) at offset \(error.offset)"), "errorCode": "JSON_PARSER_ERROR"]])
            } catch is NIOTooManyBytesError {
                reply = Reply(413)
            }
        }
        if reply.drops {
            try? await channel.close().get()
            throw Dropped()
        }
        try await write(reply, to: request, writer, channel)
    }

    private func write(_ reply: Reply, to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        var fields = HTTPFields()
        for (name, value) in reply.headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        fields[.server] = "sfdcedge"
        let hasBody = reply.status != 204 && reply.status != 304
        // A compressed answer goes out in chunks: its length is not known when it begins.
        if hasBody, request.headers[.acceptEncoding] == nil { fields[.contentLength] = String(reply.body.count) }
        let head = HTTPResponse(status: .init(code: reply.status), headerFields: fields)
        guard hasBody, request.method != .head else { return try await writer.writeResponse(head) }
        let end = reply.truncation.map { Int64(Double(reply.body.count) * $0) } ?? reply.body.count
        var body = try await writer.writeHead(head)
        switch reply.body {
        case .data(let data):
            if let speed = reply.bytesPerSecond {
                try await Responder.drip(data.prefix(Int(end)), speed, &body)
            } else if !data.isEmpty {
                try await body.write(ByteBuffer(bytes: data.prefix(Int(end))))
            }
        case .file(let prefix, let path, let offset, let length):
            try await body.write(ByteBuffer(bytes: prefix))
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            try handle.seek(toOffset: UInt64(offset))
            var left = min(length, end - Int64(prefix.count))
            while left > 0, let data = try handle.read(upToCount: Int(min(left, Responder.chunk))), !data.isEmpty {
                if let speed = reply.bytesPerSecond { try await Responder.drip(data, speed, &body) } else { try await body.write(ByteBuffer(bytes: data)) }
                left -= Int64(data.count)
            }
        }
        if reply.truncation != nil {
            try? await channel.close().get()
            throw Dropped()
        }
        try await body.finish(nil)
    }

    /// Ten pieces a second.
    private static func drip(_ data: Data, _ bytesPerSecond: Int, _ body: inout some ResponseBodyWriter) async throws {
        let size = max(1, bytesPerSecond / 10)
        var rest = data
        while !rest.isEmpty {
            try await body.write(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
            if !rest.isEmpty { try await Task.sleep(for: .milliseconds(size * 1_000 / bytesPerSecond)) }
        }
    }
}
