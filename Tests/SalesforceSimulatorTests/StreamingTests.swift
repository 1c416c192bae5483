import Foundation
@testable import SalesforceSimulator
import Testing

@Suite("CometD: handshake, connect, subscribe")
struct StreamingTests {
    @Test("a handshake gives a client id, long polling, the replay extension and cookies")
    func handshake() async throws {
        try await withOrg(sample: false) { org in
            var client = StreamingClient(org: org)
            let answer = try await client.handshake()
            let reply = try #require(answer.list.first)
            #expect(answer.headers["content-type"] == "application/json;charset=UTF-8")
            #expect(reply["successful"] as? Bool == true)
            #expect(reply["supportedConnectionTypes"] as? [String] == ["long-polling"])
            #expect((reply["ext"] as? [String: Any])?["replay"] as? Bool == true)
            #expect((reply["ext"] as? [String: Any])?["payload.format"] as? Bool == true)
            #expect(reply["id"] as? String == "1")
            #expect((reply["clientId"] as? String)?.count == 25)
            #expect(client.cookie.contains("BAYEUX_BROWSER=") && client.cookie.contains("sfdc-stream=!"))
            let single = try await client.send(#"{"channel":"/meta/handshake","id":7}"#, path: "/cometd/62.0/handshake")
            #expect(single.list.first?["id"] as? String == "7", "a single message and any suffix are taken, ids are texts")
        }
    }

    @Test("a handshake without a live token tells why")
    func refusedHandshake() async throws {
        try await withOrg(sample: false) { org in
            func reason(_ answer: Answer) -> String? {
                (((answer.list.first?["ext"] as? [String: Any])?["sfdc"]) as? [String: Any])?["failureReason"] as? String
            }
            var bad = StreamingClient(org: org)
            bad.org.token = "dead"
            let refused = try await bad.handshake()
            #expect(refused.status == 200)
            #expect(refused.bayeuxError == "403::Handshake denied")
            #expect(reason(refused) == "401::Authentication invalid")
            bad.org.token = ""
            #expect(reason(try await bad.handshake()) == "401::Request requires authentication")
            var oauth = StreamingClient(org: org)
            oauth.org.token = ""
            let answer = try await oauth.org.send(
                "POST", "/cometd/62.0", body: #"[{"channel":"/meta/handshake"}]"#, headers: ["Authorization": "OAuth \(org.token)"])
            #expect(answer.list.first?["successful"] as? Bool == true)
        }
    }

    @Test("the first connect is answered at once with advice, the next one is held")
    func holds() async throws {
        try await withOrg(sample: false) { org in
            _ = try await org.control("PATCH", "settings", #"{"streamingHoldMilliseconds": 700}"#)
            var client = StreamingClient(org: org)
            client.id = try #require(try await client.handshake().list.first?["clientId"] as? String)
            let first = try await client.connect()
            #expect(first.advice("reconnect") as? String == "retry")
            #expect(first.advice("interval") as? Int == 0)
            #expect(first.advice("timeout") as? Int == 700)
            let begun = ContinuousClock.now
            let held = try await client.connect()
            #expect(ContinuousClock.now - begun >= .milliseconds(650))
            #expect(held.list.count == 1)
            #expect(held.list.first?["successful"] as? Bool == true)
            #expect(held.list.first?["advice"] == nil)
        }
    }

    @Test("a held connect is answered when there are events: they come first, the reply last")
    func eventsFirst() async throws {
        try await withOrg { org in
            _ = try await org.control("PATCH", "settings", #"{"changeDataCapture": ["Account"]}"#)
            let client = try await StreamingClient.open(org, "/data/AccountChangeEvent")
            async let held = client.connect()
            try await client.waitUntilHeld()
            #expect(try await org.rest("POST", "sobjects/Account", #"{"Name": "streamed"}"#).status == 201, "the org is free meanwhile")
            let messages = try await held.list
            #expect(messages.map { $0["channel"] as? String } == ["/data/AccountChangeEvent", "/meta/connect"])
        }
    }

    @Test("a second connect takes the place of the first, which returns early with advice")
    func superseded() async throws {
        try await withOrg(sample: false) { org in
            let client = try await StreamingClient.open(org)
            async let first = client.connect()
            try await client.waitUntilHeld()
            async let second = client.connect()
            let early = try await first
            #expect(early.list.first?["successful"] as? Bool == true)
            #expect(early.advice("reconnect") as? String == "retry")
            _ = try await client.send(#"[{"channel":"/meta/disconnect","clientId":"\#(client.id)"}]"#)
            #expect(try await second.advice("reconnect") as? String == "none", "the second was held on")
        }
    }

    @Test("cookies that are lost or changed make the client unknown")
    func cookies() async throws {
        try await withOrg(sample: false) { org in
            let client = try await StreamingClient.open(org)
            for cookie in ["X=1", client.cookie.replacing("!", with: "%21"), client.cookie.replacing("BAYEUX_BROWSER=", with: "BAYEUX_BROWSER=a")] {
                let answer = try await client.connect(cookie: cookie)
                #expect(answer.status == 200)
                #expect(answer.bayeuxError == "403::Unknown client")
                #expect(answer.advice("reconnect") as? String == "handshake")
            }
            _ = try await org.control("PATCH", "settings", #"{"streamingChecksCookies": false, "streamingHoldMilliseconds": 1}"#)
            #expect(try await client.connect(cookie: "X=1").list.first?["successful"] as? Bool == true)
        }
    }

    @Test("a session that dies ends the connect that waits, and the client with it")
    func deadSession() async throws {
        try await withOrg(sample: false) { org in
            let client = try await StreamingClient.open(org)
            async let held = client.connect()
            try await client.waitUntilHeld()
            _ = try await org.control("DELETE", "sessions")
            let ended = try await held
            #expect(ended.bayeuxError == "401::Authentication invalid")
            #expect(ended.advice("reconnect") as? String == "none")
            #expect(try await client.connect().bayeuxError == "401::Authentication invalid")
            var again = client
            again.org.token = try #require(try await org.control("POST", "sessions", "{}").object["access_token"] as? String)
            let unknown = try await again.connect()
            #expect(unknown.bayeuxError == "403::Unknown client")
            #expect(unknown.advice("reconnect") as? String == "handshake")
        }
    }

    @Test("a client that is silent for longer than the reconnect window is unknown")
    func silence() async throws {
        try await withOrg(sample: false) { org in
            let client = try await StreamingClient.open(org)
            _ = try await org.control("PATCH", "settings", #"{"streamingReconnectMilliseconds": 1}"#)
            try await Task.sleep(for: .milliseconds(30))
            #expect(try await client.connect().bayeuxError == "403::Unknown client")
            #expect((try await org.control("GET", "streaming").object["clients"] as? [Any])?.isEmpty == true)
        }
    }

    @Test("a client that the control drops is told so where it waits")
    func dropped() async throws {
        try await withOrg(sample: false) { org in
            let client = try await StreamingClient.open(org)
            async let held = client.connect()
            try await client.waitUntilHeld()
            _ = try await org.control("DELETE", "streaming/clients/\(client.id)")
            #expect(try await held.bayeuxError == "403::Unknown client")
        }
    }

    @Test("several messages and arrays of channels go in one request; a disconnect lets the held connect go")
    func severalMessages() async throws {
        try await withOrg { org in
            let client = try await StreamingClient.open(org)
            let both = try await client.send("""
                [{"channel":"/meta/subscribe","clientId":"\(client.id)","subscription":["/data/AccountChangeEvent","/data/Invoice__ChangeEvent"],"id":"4"},
                 {"channel":"/meta/subscribe","clientId":"\(client.id)","subscription":"/data/ChangeEvents","id":"5"},
                 {"channel":"/meta/unsubscribe","clientId":"\(client.id)","subscription":"/data/AccountChangeEvent","id":"6"},
                 {"channel":"/topic/X","clientId":"\(client.id)","data":{},"id":"7"}]
                """).list
            #expect(both.map { $0["successful"] as? Bool } == [true, true, true, false])
            #expect(both[0]["subscription"] as? [String] == ["/data/AccountChangeEvent", "/data/Invoice__ChangeEvent"])
            #expect(both[3]["error"] as? String == "403:denied_by_security_policy:publish_denied")
            let clients = try await org.control("GET", "streaming").object["clients"] as? [[String: Any]]
            #expect(clients?.first?["subscriptions"] as? [String] == ["/data/ChangeEvents", "/data/Invoice__ChangeEvent"])
            async let held = client.connect()
            try await client.waitUntilHeld()
            let gone = try await client.send(#"[{"channel":"/meta/disconnect","clientId":"\#(client.id)","id":"8"}]"#)
            #expect(gone.list.first?["successful"] as? Bool == true)
            #expect(try await held.advice("reconnect") as? String == "none")
            #expect(try await client.connect().bayeuxError == "403::Unknown client")
            let counts = try await org.control("GET", "counts").object["counts"] as? [String: Int] ?? [:]
            #expect(counts["streaming.handshake"] == 1 && counts["streaming.connect"] == 3 && counts["streaming.disconnect"] == 1)
        }
    }

    @Test("channels that do not exist, too many clients, versions, sizes and busy servers are refused in messages")
    func refusals() async throws {
        try await withOrg { org in
            let client = try await StreamingClient.open(org)
            #expect(try await client.subscribe("/topic/None").bayeuxError
                == "400::The channel you requested to subscribe to does not exist {/topic/None}")
            #expect(try await client.subscribe("/data/accountChangeEvent").bayeuxError
                == "400::The channel you requested to subscribe to does not exist {/data/accountChangeEvent}")
            #expect(try await client.send(#"[{"channel":"/meta/connect","clientId":"x"}]"#, path: "/cometd/36.0").bayeuxError == "406::Unsupported version")
            let large = #"[{"channel":"/meta/connect","clientId":"\#(String(repeating: "x", count: 32_768))"}]"#
            let refused = try await client.send(large)
            #expect(refused.status == 200)
            #expect(refused.bayeuxError == "413::Maximum Request Size Exceeded")
            _ = try await org.control("POST", "faults", #"{"kind": "error", "code": "503", "match": {"family": "streaming", "operation": "handshake"}}"#)
            var other = StreamingClient(org: org)
            #expect(try await other.handshake().bayeuxError == "503::Server is too busy. Please try your request again later.")
            _ = try await org.control(
                "POST", "faults", #"{"kind": "error", "code": "403:denied_by_security_policy:subscribe_denied", "match": {"operation": "subscribe"}}"#)
            #expect(try await client.subscribe("/data/ChangeEvents").bayeuxError == "403:denied_by_security_policy:subscribe_denied")
            _ = try await org.control("PATCH", "settings", #"{"limits": {"DurableStreamingApiConcurrentClients": 1}}"#)
            let many = try await other.handshake()
            #expect(many.bayeuxError == "403::Handshake denied")
            #expect(many.text.contains("403::Organization concurrent user limit exceeded"))
        }
    }

    @Test("a connection that ends while it waits takes no events with it")
    func closedConnection() async throws {
        try await withOrg { org in
            _ = try await org.control("PATCH", "settings", #"{"changeDataCapture": ["Account"]}"#)
            let client = try await StreamingClient.open(org, "/data/AccountChangeEvent")
            let body = #"[{"channel":"/meta/connect","clientId":"\#(client.id)","id":"2"}]"#
            let head = "POST /cometd/62.0 HTTP/1.1\r\nHost: \(org.host)\r\nAuthorization: Bearer \(org.token)\r\nCookie: \(client.cookie)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n"
            let socket = try HTTPExchange.open(port: org.port, sending: Data((head + body).utf8))
            try await client.waitUntilHeld()
            close(socket)
            for _ in 0..<500 {
                let clients = try await org.control("GET", "streaming").object["clients"] as? [[String: Any]]
                if clients?.first?["waiting"] as? Bool == false { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            _ = try await org.rest("POST", "sobjects/Account", #"{"Name": "kept"}"#)
            #expect(ReceivedEvent(try await client.events(1).first).payload["Name"] as? String == "kept")
        }
    }
}
