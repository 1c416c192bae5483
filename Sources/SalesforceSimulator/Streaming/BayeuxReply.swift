import Foundation

/// A refusal on the level of Bayeux: the HTTP status stays 200 (wire reference 5.5).
struct BayeuxError: Error, Sendable {
    enum Advice: Sendable { case none, stop, handshake, retry }

    /// `code::text` or `code:argument:text`
    var text: String
    var advice = Advice.none
    /// What `ext.sfdc.failureReason` says of a refused handshake.
    var reason: String?

    static let noToken = BayeuxError(text: "401::Request requires authentication", advice: .stop)
    static let deadSession = BayeuxError(text: "401::Authentication invalid", advice: .stop)
    static let unknownClient = BayeuxError(text: "403::Unknown client", advice: .handshake)
    static let dailyLimit = BayeuxError(text: "403::Organization total events daily limit exceeded", advice: .stop)
    static let subscribeDenied = BayeuxError(text: "403:denied_by_security_policy:subscribe_denied")
    static let publishDenied = BayeuxError(text: "403:denied_by_security_policy:publish_denied")
    static let unsupportedVersion = BayeuxError(text: "406::Unsupported version")
    static let tooLarge = BayeuxError(text: "413::Maximum Request Size Exceeded")
    static let busy = BayeuxError(text: "503::Server is too busy. Please try your request again later.", advice: .retry)

    static func handshakeDenied(_ reason: String) -> BayeuxError { BayeuxError(text: "403::Handshake denied", advice: .stop, reason: reason) }

    static func noChannel(_ name: String) -> BayeuxError {
        BayeuxError(text: "400::The channel you requested to subscribe to does not exist {\(name)}")
    }

    static func invalidReplay(_ id: String) -> BayeuxError {
        BayeuxError(
            text: "400::The replayId {\(id)} you provided was invalid.  Please provide a valid ID, -2 to replay all events, "
                + "or -1 to replay only new events.")
    }

    static func missingReplay(_ channel: String, map: [JSON.Member]) -> BayeuxError {
        let pairs = map.map { "\($0.key)=\($0.value.string ?? $0.value.text)" }.joined(separator: ", ")
        return BayeuxError(
            text: "400::The replayId for channel {\(channel)} wasn't found using the provided replay ID map {{\(pairs)}}. "
                + "Ensure that the channel name you provided in the replay map is valid and matches the channel name used for subscribing.")
    }

    /// What a fault says: its code is a Bayeux one, or one of the other APIs' that has its like here.
    init(_ error: APIError) {
        switch error.code {
        case "INVALID_SESSION_ID", "INVALID_AUTH_HEADER": self = .deadSession
        case "SERVER_UNAVAILABLE": self = .busy
        case "503" where error.message.isEmpty: self = .busy
        case "REQUEST_LIMIT_EXCEEDED": self = .dailyLimit
        case "INSUFFICIENT_ACCESS": self = .subscribeDenied
        case let code where code.contains(":"): self = BayeuxError(text: code)
        case let code where Int(code) != nil: self = BayeuxError(text: "\(code)::\(error.message)")
        default: self = BayeuxError(text: "500::\(error.message.isEmpty ? error.code : error.message)")
        }
        if advice == .none {
            if text.hasSuffix("Unknown client") { advice = .handshake }
            if text.hasPrefix("401") { advice = .stop }
            if text.hasPrefix("5") { advice = .retry }
        }
    }

    init(text: String, advice: Advice = .none, reason: String? = nil) {
        self.text = text
        self.advice = advice
        self.reason = reason
    }
}

extension BayeuxError.Advice {
    var json: JSON? {
        switch self {
        case .none: Optional<JSON>.none
        case .stop: ["reconnect": "none", "interval": 0]
        case .handshake: ["reconnect": "handshake", "interval": 0]
        case .retry: ["reconnect": "retry", "interval": 0]
        }
    }
}

/// Builds replies: `channel`, `id` and `subscription` echo what was asked.
enum BayeuxReply {
    static func success(_ message: JSON, clientId: String?, advice: JSON? = nil) -> JSON {
        reply(message, clientId: clientId, advice: advice, error: nil)
    }

    static func failure(_ message: JSON, _ error: BayeuxError) -> JSON {
        let isHandshake = message["channel"]?.string == "/meta/handshake"
        var reply = reply(message, clientId: isHandshake ? nil : message["clientId"]?.string, advice: error.advice.json, error: error.text)
        if isHandshake {
            var ext = handshakeExtension
            if let reason = error.reason { ext.set("sfdc", ["failureReason": .string(reason)]) }
            reply.set("ext", ext)
        }
        return reply
    }

    static let handshakeExtension: JSON = ["replay": true, "payload.format": true]

    private static func reply(_ message: JSON, clientId: String?, advice: JSON?, error: String?) -> JSON {
        var members: [JSON.Member] = []
        func add(_ key: String, _ value: JSON?) { if let value { members.append(JSON.Member(key: key, value: value)) } }
        add("clientId", clientId.map { .string($0) })
        add("advice", advice)
        add("channel", message["channel"] ?? .null)
        // An id is echoed as a string, whatever it was.
        add("id", message["id"]?.string.map { .string($0) })
        add("subscription", message["subscription"])
        add("error", error.map { .string($0) })
        add("successful", .bool(error == nil))
        return .object(members)
    }

    /// What the first connect is told: connect again at once, wait long (wire reference 5.2).
    static func advice(_ settings: StreamingSettings) -> JSON {
        ["interval": 0, "timeout": .int(settings.holdMilliseconds), "reconnect": "retry"]
    }

    static func connect(_ clientId: String, _ id: JSON?, advice: JSON? = nil) -> JSON { success(request(id), clientId: clientId, advice: advice) }

    static func connect(_ clientId: String, _ id: JSON?, _ error: BayeuxError) -> JSON {
        var message = request(id)
        message.set("clientId", .string(clientId))
        return failure(message, error)
    }

    private static func request(_ id: JSON?) -> JSON {
        var message: JSON = ["channel": "/meta/connect"]
        if let id { message.set("id", id) }
        return message
    }
}

extension Reply {
    /// Messages, each a JSON text, as one answer.
    static func bayeux(_ messages: [String]) -> Reply {
        Reply(
            200, headers: [("Content-Type", "application/json;charset=UTF-8")],
            body: .data(Data(("[" + messages.joined(separator: ",") + "]").utf8)))
    }
}
