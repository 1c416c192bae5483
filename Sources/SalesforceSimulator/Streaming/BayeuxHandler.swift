import Foundation

/// `POST /cometd/{v}`: Bayeux messages, one or several in an array (wire reference 5.1). Clients append what they like to the path.
struct BayeuxHandler: FamilyHandler {
    let request: SimRequest
    private let parsed: [JSON]?

    /// Versions from here on can replay; older ones are not offered (wire reference 5.1).
    static let oldestVersion = 37.0
    /// Bytes of a request (wire reference 5.5).
    static let largestRequest = 32_768

    var version: String { request.segments.count > 1 ? request.segments[1] : "" }

    init(request: SimRequest) {
        self.request = request
        switch try? JSONParser.parse(request.body) {
        case .array(let messages)? where !messages.isEmpty: parsed = messages
        case .object(let members)?: parsed = [.object(members)]
        default: parsed = nil
        }
    }

    func describe() -> CallDescription {
        let channel = parsed?.first?["channel"]?.string ?? ""
        let operation = channel.hasPrefix("/meta/") ? String(channel.dropFirst("/meta/".count)) : channel.isEmpty ? "unknown" : "publish"
        var call = CallDescription(.streaming, operation, version: version)
        call.object = parsed?.lazy.compactMap { BayeuxCalls.channels(of: $0).first }.first
        return call
    }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        guard request.method == "POST" else { return Reply(405) }
        guard let messages = parsed else { return Reply.text(400, "the body is no Bayeux message and no array of them") }
        guard request.body.count <= BayeuxHandler.largestRequest else { return refusal(.tooLarge) }
        guard context.state.settings.versions.contains(version), (Double(version) ?? 0) >= BayeuxHandler.oldestVersion else {
            return refusal(.unsupportedVersion)
        }
        var calls = BayeuxCalls(request: request, version: version, state: context.state, db: context.db)
        let reply = try calls.answer(messages)
        call.user = calls.user
        return reply
    }

    func refusal(_ error: APIError) -> Reply { refusal(BayeuxError(error)) }

    private func refusal(_ error: BayeuxError) -> Reply {
        Reply.bayeux((parsed ?? []).map { BayeuxReply.failure($0, error).text })
    }
}
