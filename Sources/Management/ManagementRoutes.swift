internal import Hummingbird
internal import Logging
internal import Relay

/// What each path answers.
struct ManagementRoutes: Sendable {
    let apiToken: String?
    let health: RelayHealth
    /// `hc_status` of each connection.
    let statuses: @Sendable () async throws -> [String]
    let logger: Logger

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in "ok\n" }
        router.get("/readyz") { _, _ in ready() }
        router.get("/metrics") { request, _ in await metrics(request) }
        return router
    }

    /// Ready means: the database answers, and this relay leads or stands by for whatever there is.
    private func ready() -> Response {
        guard health.hasDatabase else { return text(.serviceUnavailable, "the database cannot be reached\n") }
        let roles = health.roles.values
        let leads = roles.count { $0 == .leads }, standsBy = roles.count { $0 == .standsBy }
        return text(.ok, "leads \(leads), stands by for \(standsBy)\n")
    }

    private func metrics(_ request: Request) async -> Response {
        if let apiToken {
            guard BearerToken.matches(request.headers[.authorization], apiToken) else {
                return text(.unauthorized, "show HC_API_TOKEN as bearer token\n", [.wwwAuthenticate: "Bearer"])
            }
        }
        do {
            let documents = try await statuses().map { try StatusDocument($0) }
            return text(.ok, Metrics(documents, roles: health.roles).text, [.contentType: "text/plain; version=0.0.4; charset=utf-8"])
        } catch {
            logger.warning("METRICS FAILED", metadata: ["error": .stringConvertible("\(error)")])
            return text(.serviceUnavailable, "the database cannot be reached\n")
        }
    }

    private func text(_ status: HTTPResponse.Status, _ body: String, _ headers: HTTPFields = [:]) -> Response {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "text/plain; charset=utf-8" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}

/// Compares tokens in a time that does not depend on where they differ.
enum BearerToken {
    static func matches(_ header: String?, _ token: String) -> Bool {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return false }
        let shown = Array(header.utf8.dropFirst(7)), wanted = Array(token.utf8)
        var difference = shown.count ^ wanted.count
        for index in wanted.indices { difference |= Int(wanted[index] ^ (index < shown.count ? shown[index] : 0)) }
        return difference == 0
    }
}
