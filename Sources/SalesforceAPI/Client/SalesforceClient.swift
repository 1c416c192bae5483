public import HTTPTransport
public import Logging
import Synchronization

/// One org, as the relay talks to it. Any number of calls may run at once; they share the session and its renewal.
///
/// Every call throws ``SalesforceError`` and nothing else. A call that meets an expired session is replayed once with a new
/// token; a second refusal is reported as ``Disposition/needsSession``.
public final class SalesforceClient: Sendable {
    public let session: SalesforceSession
    public let configuration: SalesforceClientConfiguration
    let http: HTTPClient
    let logger: Logger
    /// Asked before each call; nil: nothing limits the calls.
    let governor: (any CallGovernor)?
    private let limit = Mutex<APIUsage?>(nil)

    public init(
        session: SalesforceSession, http: HTTPClient, configuration: SalesforceClientConfiguration, logger: Logger,
        governor: (any CallGovernor)? = nil
    ) {
        self.session = session
        self.http = http
        self.configuration = configuration
        self.logger = logger
        self.governor = governor
    }

    /// How much of the org's daily API requests was used when the last answer came; nil before the first one that says so.
    public var lastLimit: APIUsage? { limit.withLock { $0 } }

    func note(_ usage: APIUsage?) {
        guard let usage else { return }
        limit.withLock { $0 = usage }
    }

    /// The path of REST resources, such as `/services/data/v62.0`.
    var dataPath: String { "/services/data/v\(configuration.apiVersion)" }
}

extension SalesforceClient {
    /// Makes one call under the governor: counted before it, and told what its answer says of the org's use.
    /// - Parameter made: what happens; it says through its parameter when the request goes out.
    func governed<Answer>(
        _ operation: String, _ made: (inout GovernedCall) async throws(SalesforceError) -> Answer
    ) async throws(SalesforceError) -> Answer {
        var call = GovernedCall()
        let ticket = try await governor?.admit(operation)
        defer { finish(ticket, call) }
        return try await made(&call)
    }

    func finish(_ ticket: CallTicket?, _ call: GovernedCall) {
        note(call.usage)
        if let ticket { governor?.ended(ticket, wasMade: call.wasMade, usage: call.usage) }
    }
}

/// What became of a call that was admitted.
struct GovernedCall: Sendable {
    var wasMade = false
    var usage: APIUsage?
}

/// Use of the org's rolling 24 hours of API requests.
public struct APIUsage: Sendable, Equatable {
    public let used: Int
    public let maximum: Int

    public init(used: Int, maximum: Int) {
        self.used = used
        self.maximum = maximum
    }

    /// Reads `api-usage=18/5000`, with or without a part about one app (API reference 2.1).
    init?(header: String) {
        let key = "api-usage="
        guard
            let part = header.split(separator: ";").map({ $0.drop(while: \.isWhitespace) }).first(where: { $0.hasPrefix(key) })
        else { return nil }
        let numbers = part.dropFirst(key.count).prefix { $0.isNumber || $0 == "/" }.split(separator: "/")
        guard numbers.count == 2, let used = Int(numbers[0]), let maximum = Int(numbers[1]) else { return nil }
        self.init(used: used, maximum: maximum)
    }
}
