/// The HTTP methods that the APIs in use know.
public enum HTTPMethod: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case head = "HEAD"

    /// True when sending the request a second time could change something on the server a second time, or hide that the
    /// first one did. PUT and DELETE are idempotent in RFC 9110, section 9.2.2, but a repeated DELETE answers differently,
    /// so they count as writes too.
    public var isWrite: Bool {
        switch self {
        case .get, .head: false
        case .post, .put, .patch, .delete: true
        }
    }
}

/// One header field as it is sent.
public struct HTTPHeader: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    public init(name: String, value: String) {
        self.init(name, value)
    }
}

/// What a request carries after its headers.
public enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])

    /// The UTF-8 bytes of `text`.
    public static func text(_ text: String) -> HTTPBody {
        .bytes(Array(text.utf8))
    }
}

/// How long a request may take before it ends with ``HTTPError/Code/timedOut``.
public struct HTTPTimeouts: Sendable, Hashable {
    /// From the start to a usable connection: name resolution, TCP, proxy and TLS together.
    public var connect: Duration
    /// From the start to the last byte of the answer; nil is without limit.
    public var total: Duration?
    /// The longest time without a byte in either direction once the connection stands; nil is without limit. The time in
    /// which the reader of a streamed answer takes nothing does not count.
    public var stall: Duration?

    public init(connect: Duration = .seconds(30), total: Duration? = nil, stall: Duration? = nil) {
        self.connect = connect
        self.total = total
        self.stall = stall
    }
}

/// One request, complete and independent of any connection.
public struct HTTPRequest: Sendable {
    public var method: HTTPMethod
    /// Absolute, with the scheme `http` or `https`, already percent-encoded.
    public var url: String
    public var headers: [HTTPHeader]
    public var body: HTTPBody
    /// Sends the body compressed, with `Content-Encoding: gzip`. An empty body is sent as it is.
    public var compressBody: Bool
    public var timeouts: HTTPTimeouts

    public init(
        method: HTTPMethod = .get,
        url: String,
        headers: [HTTPHeader] = [],
        body: HTTPBody = .none,
        compressBody: Bool = false,
        timeouts: HTTPTimeouts = HTTPTimeouts()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.compressBody = compressBody
        self.timeouts = timeouts
    }
}
