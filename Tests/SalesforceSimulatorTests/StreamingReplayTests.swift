import Foundation
@testable import SalesforceSimulator
import Testing

@Suite("Replay, retention, allocations")
struct StreamingReplayTests {
    private static let channel = "/data/AccountChangeEvent"

    /// An org whose account changes are told, with so many told already; their replay ids.
    private static func prepare(_ org: OrgClient, _ count: Int) async throws -> [Int] {
        _ = try await org.control("PATCH", "settings", #"{"changeDataCapture": ["Account"]}"#)
        for index in 0..<count { _ = try await org.rest("POST", "sobjects/Account", #"{"Name": "replay \#(index)"}"#) }
        let client = try await StreamingClient.open(org, channel, replay: "-2")
        return try await client.events(count).map { ReceivedEvent($0).replayId }
    }

    private static func invalid(_ id: Int) -> String {
        "400::The replayId {\(id)} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
    }

    @Test("-2 replays everything, an id what follows it, -1 and no map nothing")
    func replay() async throws {
        try await withOrg { org in
            let ids = try await Self.prepare(org, 3)
            #expect(ids == ids.sorted() && Set(ids).count == 3)
            let after = try await StreamingClient.open(org, Self.channel, replay: "\(ids[0])")
            #expect(try await after.events(2).map { ReceivedEvent($0).replayId } == Array(ids[1...]))
            for replay in ["-1", nil] {
                let new = try await StreamingClient.open(org, Self.channel, replay: replay)
                _ = try await org.rest("POST", "sobjects/Account", #"{"Name": "new"}"#)
                #expect(ReceivedEvent(try await new.events(1).first).payload["Name"] as? String == "new")
            }
        }
    }

    @Test("replayed events come through the connect that waits already")
    func replayWhileHeld() async throws {
        try await withOrg { org in
            let ids = try await Self.prepare(org, 2)
            let client = try await StreamingClient.open(org)
            async let held = client.connect()
            try await client.waitUntilHeld()
            _ = try await client.subscribe(Self.channel, replay: "-2")
            #expect(try await held.list.dropLast().map { ReceivedEvent($0).replayId } == ids)
        }
    }

    @Test("an id that is foreign, expired or purged is refused, and so is a map without the channel")
    func invalidReplay() async throws {
        try await withOrg { org in
            let ids = try await Self.prepare(org, 2)
            let client = try await StreamingClient.open(org)
            for id in [5, ids[1] + 1, ids[1] + 3] { #expect(try await client.subscribe(Self.channel, replay: "\(id)").bayeuxError == Self.invalid(id)) }
            #expect(try await client.subscribe("/data/ChangeEvents", replay: "\(ids[0])").bayeuxError == Self.invalid(ids[0]))
            let missing = try await client.send(
                #"[{"channel":"/meta/subscribe","clientId":"\#(client.id)","subscription":"\#(Self.channel)","ext":{"replay":{}}}]"#)
            #expect(missing.bayeuxError == "400::The replayId for channel {\(Self.channel)} wasn't found using the provided replay ID map {{}}. "
                + "Ensure that the channel name you provided in the replay map is valid and matches the channel name used for subscribing.")
            _ = try await org.control("DELETE", "streaming/events?channel=\(Self.channel)")
            #expect(try await client.subscribe(Self.channel, replay: "\(ids[1])").bayeuxError == Self.invalid(ids[1]))
        }
    }

    @Test("change events are kept for 72 hours, notifications of topics for 24, by the org's clock")
    func retention() async throws {
        try await withOrg { org in
            _ = try await org.rest("POST", "sobjects/PushTopic", #"{"Name": "Accts", "ApiVersion": 62.0, "Query": "SELECT Id FROM Account"}"#)
            let ids = try await Self.prepare(org, 1)
            let client = try await StreamingClient.open(org)
            func channels() async throws -> [String] {
                // A subscription looks for what has expired.
                _ = try await client.subscribe("/data/ChangeEvents", replay: "-1")
                let known = try await org.control("GET", "streaming").object["channels"] as? [[String: Any]] ?? []
                return known.compactMap { $0["channel"] as? String }
            }
            _ = try await org.control("POST", "clock", #"{"advanceSeconds": 86000}"#)
            #expect(try await channels() == [Self.channel, "/topic/Accts", "/data/ChangeEvents"])
            _ = try await org.control("POST", "clock", #"{"advanceSeconds": 1000}"#)
            #expect(try await channels() == [Self.channel, "/data/ChangeEvents"])
            #expect(try await client.subscribe(Self.channel, replay: "\(ids[0])").list.first?["successful"] as? Bool == true)
            _ = try await org.control("POST", "clock", #"{"advanceSeconds": 172800}"#)
            #expect(try await channels() == [])
            #expect(try await client.subscribe(Self.channel, replay: "\(ids[0])").bayeuxError == Self.invalid(ids[0]))
        }
    }

    @Test("events, settings and topics survive the simulator's process, and replay ids go on")
    func restart() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("org-\(UUID().uuidString).sqlite").path
        defer { SampleImage.remove(path) }
        let (stream, found) = AsyncStream.makeStream(of: [Int].self, bufferingPolicy: .bufferingNewest(1))
        try await withOrg(database: path) { org in
            _ = try await org.rest("POST", "sobjects/PushTopic", #"{"Name": "Accts", "ApiVersion": 62.0, "Query": "SELECT Id FROM Account"}"#)
            found.yield(try await Self.prepare(org, 2))
        }
        var iterator = stream.makeAsyncIterator()
        let ids = try #require(await iterator.next())
        try await withOrg(database: path) { org in
            let client = try await StreamingClient.open(org, Self.channel, replay: "\(ids[0])")
            _ = try await client.subscribe("/topic/Accts")
            _ = try await org.rest("POST", "sobjects/Account", #"{"Name": "after"}"#)
            let events = try await client.events(3)
            let changes = events.filter { $0["channel"] as? String == Self.channel }.map { ReceivedEvent($0).replayId }
            #expect(changes.count == 2)
            #expect(changes.first == ids[1])
            #expect((changes.last ?? 0) > ids[1])
        }
    }

    @Test("past the daily allocation a connect is refused; the events can be replayed another day")
    func allocation() async throws {
        try await withOrg { org in
            let ids = try await Self.prepare(org, 3)
            _ = try await org.control("PATCH", "settings", #"{"limits": {"DailyDeliveredPlatformEvents": 5}}"#)
            let client = try await StreamingClient.open(org, Self.channel, replay: "-2")
            #expect(try await client.connect().list.dropLast().map { ReceivedEvent($0).replayId } == Array(ids.prefix(2)), "three went out before")
            let allowance = (try await org.rest("GET", "limits").object["DailyDeliveredPlatformEvents"] as? [String: Int]) ?? [:]
            #expect(allowance == ["Max": 5, "Remaining": 0])
            let cut = try await client.connect()
            #expect(cut.status == 200)
            #expect(cut.bayeuxError == "403::Organization total events daily limit exceeded")
            #expect(try await client.connect().bayeuxError == "403::Unknown client")
            _ = try await org.control("POST", "clock", #"{"advanceSeconds": 86401}"#)
            let later = try await StreamingClient.open(org, Self.channel, replay: "\(ids[1])")
            #expect(try await later.events(1).map { ReceivedEvent($0).replayId } == [ids[2]])
        }
    }
}
