/// The header fields of an answer in the order they came. Names compare without regard to case.
public struct HTTPHeaders: Sendable, Hashable, Sequence {
    private var fields: [HTTPHeader]

    public init(_ fields: [HTTPHeader] = []) {
        self.fields = fields
    }

    /// The value of the first field called `name`, or nil.
    public func first(_ name: String) -> String? {
        fields.first { $0.name.equalsIgnoringASCIICase(name) }?.value
    }

    /// The values of all fields called `name`, in order.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.equalsIgnoringASCIICase(name) }.map(\.value)
    }

    /// The value of the first field called `name`, or nil.
    public subscript(name: String) -> String? {
        first(name)
    }

    public var count: Int { fields.count }

    public func makeIterator() -> IndexingIterator<[HTTPHeader]> {
        fields.makeIterator()
    }
}

/// Status and headers, known before the first byte of the body.
public struct HTTPResponseHead: Sendable, Hashable {
    public var status: Int
    public var headers: HTTPHeaders

    public init(status: Int, headers: HTTPHeaders = HTTPHeaders()) {
        self.status = status
        self.headers = headers
    }
}

/// A complete answer. Any status is an answer; only a missing or unfinished one is an ``HTTPError``.
public struct HTTPResponse: Sendable, Hashable {
    public var status: Int
    public var headers: HTTPHeaders
    /// Decoded: a gzip content encoding is already undone.
    public var body: [UInt8]

    public init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public var head: HTTPResponseHead { HTTPResponseHead(status: status, headers: headers) }

    /// The body as UTF-8 text, with unreadable bytes replaced.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

extension String {
    func equalsIgnoringASCIICase(_ other: String) -> Bool {
        utf8.elementsEqual(other.utf8) { $0.lowercasedASCII == $1.lowercasedASCII }
    }
}

extension UInt8 {
    fileprivate var lowercasedASCII: UInt8 {
        (0x41...0x5A).contains(self) ? self | 0x20 : self
    }
}
