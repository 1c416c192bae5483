import HTTPTransport

/// A client that asks no proxy of the environment.
func makeClient(trust: HTTPClientConfiguration.Trust = .system, cookies: Bool = false) -> HTTPClient {
    HTTPClient(configuration: HTTPClientConfiguration(proxy: .none, trust: trust, cookies: cookies))
}

/// The error that `body` throws, nil when it returns.
func httpError(_ body: () async throws -> Void) async -> HTTPError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? HTTPError
    }
}
