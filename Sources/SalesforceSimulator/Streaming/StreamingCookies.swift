/// The cookies of a handshake: the client must return them as they are on every later call (wire reference 5.1).
enum StreamingCookies {
    /// Those that are looked at; the others are only set.
    private static let checked = ["BAYEUX_BROWSER", "sfdc-stream"]

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")

    static func randomText(_ count: Int) -> String { String((0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }) }

    /// Names and values of the `Cookie` header, the values exactly as sent.
    private static func sent(_ request: SimRequest) -> [String: String] {
        var cookies: [String: String] = [:]
        for part in (request.headers["cookie"] ?? "").split(separator: ";") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
        }
        return cookies
    }

    static func match(_ expected: [String: String], _ request: SimRequest, _ state: OrgState) -> Bool {
        guard state.streaming.settings.checksCookies else { return true }
        let sent = sent(request)
        return expected.allSatisfy { sent[$0.key] == $0.value }
    }

    /// The values a client must show from now on, and the headers that give it those it has not.
    static func make(_ request: SimRequest) -> (expected: [String: String], toSet: [String]) {
        var expected = sent(request).filter { checked.contains($0.key) }
        var toSet: [String] = []
        if expected["BAYEUX_BROWSER"] == nil {
            let value = randomText(4) + "-" + randomText(24)
            expected["BAYEUX_BROWSER"] = value
            toSet.append("BAYEUX_BROWSER=\(value);Path=/cometd/;HttpOnly")
        }
        if expected["sfdc-stream"] == nil {
            // The load balancer's: signs that a client encodes if it does not keep them, and that aiohttp, which quotes what it
            // does not know, leaves alone.
            let value = "!" + randomText(20) + "+" + randomText(20) + "|" + randomText(40)
            expected["sfdc-stream"] = value
            toSet.append("sfdc-stream=\(value); path=/; HttpOnly")
            toSet.append("CookieConsentPolicy=0:1; path=/; Max-Age=31536000")
            toSet.append("BrowserId=\(randomText(22)); path=/; Max-Age=31536000")
        }
        return (expected, toSet)
    }
}
