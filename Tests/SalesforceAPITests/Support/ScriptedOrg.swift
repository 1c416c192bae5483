import HTTPTransport
import Hummingbird
import HummingbirdCore
import HTTPTypes
import Logging
import NIOCore
import SalesforceAPI
import Synchronization

/// One request as a ``ScriptedOrg`` received it.
struct ReceivedRequest: Sendable {
    var method: String
    /// With the query string, still escaped.
    var path: String
    var headers: HTTPFields
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

/// One answer of a ``ScriptedOrg``.
struct ScriptedAnswer: Sendable {
    var status = 200
    var headers: [(String, String)] = [("Content-Type", "application/json;charset=UTF-8")]
    var body: String

    static func json(_ body: String, status: Int = 200) -> ScriptedAnswer { ScriptedAnswer(status: status, body: body) }
    static func xml(_ body: String, status: Int = 200) -> ScriptedAnswer {
        ScriptedAnswer(status: status, headers: [("Content-Type", "text/xml;charset=UTF-8")], body: body)
    }
    static let expired = json(#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#, status: 401)
}

/// A server on loopback that answers as a test says and remembers what it was asked. For answers that no org gives at will;
/// the simulator stands in for everything else.
final class ScriptedOrg: Sendable {
    let baseURL: String
    private let requests = Mutex<[ReceivedRequest]>([])

    private init(port: Int) { baseURL = "http://127.0.0.1:\(port)" }

    /// All requests so far whose path begins with `prefix`.
    func received(_ prefix: String = "") -> [ReceivedRequest] { requests.withLock { $0 }.filter { $0.path.hasPrefix(prefix) } }

    /// A token reply of this server.
    func token(_ token: String, refreshToken: String? = nil) -> ScriptedAnswer {
        let rotated = refreshToken.map { #","refresh_token":"\#($0)""# } ?? ""
        return .json(
            #"{"access_token":"\#(token)","instance_url":"\#(baseURL)","id":"\#(baseURL)/id/00Dxx0000001gPL/005xx000001Sv6A","token_type":"Bearer"\#(rotated)}"#)
    }

    func credentials() -> Credentials {
        .clientCredentials(clientID: "id", clientSecret: Secret("secret"), loginURL: baseURL)
    }

    func client(
        _ configuration: SalesforceClientConfiguration = SalesforceClientConfiguration(), credentials: Credentials? = nil
    ) -> SalesforceClient {
        let http = HTTPClient(configuration: HTTPClientConfiguration(proxy: .none))
        let session = SalesforceSession(credentials: credentials ?? self.credentials(), http: http, logger: Logger(label: "test"))
        return SalesforceClient(session: session, http: http, configuration: configuration, logger: Logger(label: "test"))
    }

    /// The server answers before its own port is known to it.
    private final class Holder: Sendable {
        let org = Mutex<ScriptedOrg?>(nil)
    }

    /// Runs `body` against a server that answers with `answer`.
    static func run(
        answer: @escaping @Sendable (ScriptedOrg, ReceivedRequest) async -> ScriptedAnswer,
        _ body: @escaping @Sendable (ScriptedOrg) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let holder = Holder()
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            guard let org = holder.org.withLock({ $0 }) else { return Response(status: .internalServerError) }
            let bytes = try await request.body.collect(upTo: 64 << 20)
            let received = ReceivedRequest(
                method: request.method.rawValue, path: request.uri.string, headers: request.headers,
                body: Array(bytes.readableBytesView))
            org.requests.withLock { $0.append(received) }
            let answer = await answer(org, received)
            var fields = HTTPFields()
            for (name, value) in answer.headers {
                if let name = HTTPField.Name(name) { fields[name] = value }
            }
            return Response(
                status: .init(code: answer.status), headers: fields, body: .init(byteBuffer: ByteBuffer(string: answer.body)))
        }
        var logger = Logger(label: "scripted")
        logger.logLevel = .critical
        let application = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        try await serving(application) {
            for await number in ports {
                let org = ScriptedOrg(port: number)
                holder.org.withLock { $0 = org }
                return try await body(org)
            }
        }
    }
}
