/// Why a request has no complete answer.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. More kinds may come, so a switch needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case badRequest = "the request is malformed"
            case badURL = "the URL is malformed or its scheme is not supported"
            case couldNotResolve = "the host name could not be resolved"
            case couldNotConnect = "no connection could be made"
            case tls = "the TLS connection could not be made"
            case timedOut = "the time allowed ran out"
            case stalled = "no byte moved for the time allowed"
            case connectionLost = "the connection broke before the answer was complete"
            case badResponse = "the answer is not valid HTTP"
            case bodyTooLarge = "the answer is larger than allowed"
            case cancelled = "the request was cancelled"
            case other = "the transfer failed"
        }

        private let kind: Kind

        /// A header with a line break, or something else that cannot be put on the wire.
        public static let badRequest = Code(kind: .badRequest)
        public static let badURL = Code(kind: .badURL)
        public static let couldNotResolve = Code(kind: .couldNotResolve)
        public static let couldNotConnect = Code(kind: .couldNotConnect)
        /// The handshake failed, or the certificate was not accepted.
        public static let tls = Code(kind: .tls)
        /// ``HTTPTimeouts/connect`` or ``HTTPTimeouts/total`` passed.
        public static let timedOut = Code(kind: .timedOut)
        /// ``HTTPTimeouts/stall`` passed without a byte.
        public static let stalled = Code(kind: .stalled)
        public static let connectionLost = Code(kind: .connectionLost)
        public static let badResponse = Code(kind: .badResponse)
        public static let bodyTooLarge = Code(kind: .bodyTooLarge)
        public static let cancelled = Code(kind: .cancelled)
        public static let other = Code(kind: .other)

        public var description: String { kind.rawValue }
    }

    public var code: Code
    /// False only when it is proven that no byte of the request reached the network: the request was malformed, or the
    /// failure came before there was a connection to write it to. Decides whether a write may be repeated at once, so it
    /// is true whenever there is doubt.
    public var requestWasWritten: Bool
    /// `host:port` of the server, without path, query and user information; nil when the URL has none.
    public var server: String?
    /// What the transport library said about the connection; never about the content of request or answer.
    public var detail: String?

    public init(code: Code, requestWasWritten: Bool, server: String? = nil, detail: String? = nil) {
        self.code = code
        self.requestWasWritten = requestWasWritten
        self.server = server
        self.detail = detail
    }

    /// One line that may be logged and shown: no body, token, path or query.
    public var description: String {
        var text = code.description
        if let server { text += " (\(server))" }
        if let detail { text += ": \(detail)" }
        return text
    }
}
