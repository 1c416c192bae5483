import Foundation
@testable import SalesforceSimulator
import Testing

/// A CometD client that keeps its cookies and opens a connection for each request.
struct StreamingClient: Sendable {
    var org: OrgClient
    var cookie = ""
    var id = ""

    /// Shakes hands and connects once, which is answered at once.
    static func open(_ org: OrgClient) async throws -> StreamingClient {
        var client = StreamingClient(org: org)
        let reply = try #require(try await client.handshake().list.first)
        client.id = try #require(reply["clientId"] as? String, "\(reply)")
        let first = try await client.connect()
        #expect(first.list.last?["successful"] as? Bool == true, "\(first.text)")
        return client
    }

    static func open(_ org: OrgClient, _ channel: String, replay: String? = nil) async throws -> StreamingClient {
        let client = try await open(org)
        let reply = try await client.subscribe(channel, replay: replay)
        #expect(reply.list.first?["successful"] as? Bool == true, "\(reply.text)")
        return client
    }

    func send(_ body: String, cookie: String? = nil, path: String = "/cometd/62.0") async throws -> Answer {
        let cookie = cookie ?? self.cookie
        return try await org.send("POST", path, body: body, headers: cookie.isEmpty ? [:] : ["Cookie": cookie])
    }

    mutating func handshake() async throws -> Answer {
        let answer = try await send(#"[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"id":"1"}]"#)
        cookie = (answer.headers["set-cookie"] ?? "").split(separator: "\n")
            .compactMap { $0.split(separator: ";").first.map(String.init) }.joined(separator: "; ")
        return answer
    }

    func connect(cookie: String? = nil) async throws -> Answer {
        try await send(#"[{"channel":"/meta/connect","clientId":"\#(id)","connectionType":"long-polling","id":"2"}]"#, cookie: cookie)
    }

    /// - Parameter replay: The value of `ext.replay` for the channel, as JSON.
    func subscribe(_ channel: String, replay: String? = nil) async throws -> Answer {
        let ext = replay.map { #","ext":{"replay":{"\#(channel)":\#($0)}}"# } ?? ""
        return try await send(#"[{"channel":"/meta/subscribe","clientId":"\#(id)","subscription":"\#(channel)","id":"3"\#(ext)}]"#)
    }

    /// Connects until so many events have come; their messages.
    func events(_ count: Int) async throws -> [[String: Any]] {
        var events: [[String: Any]] = []
        for _ in 0..<20 where events.count < count {
            let messages = try await connect().list
            guard messages.last?["successful"] as? Bool == true else {
                Issue.record("\(messages)")
                return events
            }
            events += messages.filter { $0["data"] != nil }
        }
        #expect(events.count == count)
        return events
    }

    /// Waits until the org holds the client's connect.
    func waitUntilHeld() async throws {
        for _ in 0..<500 {
            let clients = try await org.control("GET", "streaming").object["clients"] as? [[String: Any]] ?? []
            if clients.contains(where: { $0["clientId"] as? String == id && $0["waiting"] as? Bool == true }) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the connect is not held")
    }
}

extension Answer {
    /// The error of the first message.
    var bayeuxError: String? { list.first?["error"] as? String }

    func advice(_ key: String) -> Any? { (list.last?["advice"] as? [String: Any])?[key] }
}

/// The parts of an event message.
struct ReceivedEvent {
    var message: [String: Any]

    init(_ message: [String: Any]?) { self.message = message ?? [:] }

    var data: [String: Any] { message["data"] as? [String: Any] ?? [:] }
    var event: [String: Any] { data["event"] as? [String: Any] ?? [:] }
    var sobject: [String: Any] { data["sobject"] as? [String: Any] ?? [:] }
    var payload: [String: Any] { data["payload"] as? [String: Any] ?? [:] }
    var header: [String: Any] { payload["ChangeEventHeader"] as? [String: Any] ?? [:] }
    var replayId: Int { event["replayId"] as? Int ?? 0 }
    var type: String { event["type"] as? String ?? header["changeType"] as? String ?? "" }
    var recordIds: [String] { header["recordIds"] as? [String] ?? [] }
}
