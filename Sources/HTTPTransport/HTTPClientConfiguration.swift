/// What holds for all requests of one ``HTTPClient``.
public struct HTTPClientConfiguration: Sendable {
    /// Where a proxy comes from.
    public enum Proxy: Sendable, Hashable {
        /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, as curl reads them.
        case environment
        case none
        /// `scheme://[user:password@]host:port`, for all requests.
        case url(String)
    }

    /// How certificates of servers are judged.
    public enum Trust: Sendable, Hashable {
        /// The certificate authorities of the system.
        case system
        /// Only the authorities in this PEM file.
        case file(String)
        /// Any certificate. For tests against a server of one's own; never a default.
        case anything
    }

    public var userAgent: String
    public var proxy: Proxy
    public var trust: Trust
    /// Keeps cookies in memory and sends them back, for all requests of the client. Off by default: CometD needs it.
    public var cookies: Bool
    /// A connection idle for longer is not used again, so that a request rarely meets a connection which the server is just closing.
    public var idleConnectionLifetime: Duration
    /// Requests beyond it wait for a connection; 0 is without limit.
    public var maximumConnectionsPerHost: Int
    /// A streamed answer is paused while its reader has this many bytes waiting. The piece that crosses the mark is still taken.
    public var streamBufferBytes: Int

    public init(
        userAgent: String = "hc-sync",
        proxy: Proxy = .environment,
        trust: Trust = .system,
        cookies: Bool = false,
        idleConnectionLifetime: Duration = .seconds(50),
        maximumConnectionsPerHost: Int = 32,
        streamBufferBytes: Int = 256 * 1024
    ) {
        self.userAgent = userAgent
        self.proxy = proxy
        self.trust = trust
        self.cookies = cookies
        self.idleConnectionLifetime = idleConnectionLifetime
        self.maximumConnectionsPerHost = maximumConnectionsPerHost
        self.streamBufferBytes = streamBufferBytes
    }
}
