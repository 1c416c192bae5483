import Foundation

/// An answer, and what a fault does to it on its way.
struct Reply: Sendable {
    enum Body: Sendable {
        case data(Data)
        /// A header text, then part of a file: streamed, never held in memory.
        case file(prefix: Data, path: String, offset: Int64, length: Int64)

        var count: Int64 {
            switch self {
            case .data(let data): Int64(data.count)
            case .file(let prefix, _, _, let length): Int64(prefix.count) + length
            }
        }
    }

    var status: Int
    var headers: [(String, String)]
    var body: Body
    /// A streaming connect that is answered when there is something to tell.
    var held: HeldConnect?
    /// Milliseconds before the answer is written.
    var delay = 0
    /// The body goes out at this speed; nil: at once.
    var bytesPerSecond: Int?
    /// Close the connection instead of answering.
    var drops = false
    /// Close the connection after this part of the body.
    var truncation: Double?

    init(_ status: Int, headers: [(String, String)] = [], body: Body = .data(Data())) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    static func json(_ status: Int = 200, _ value: JSON) -> Reply {
        Reply(status, headers: [("Content-Type", "application/json;charset=UTF-8")], body: .data(Data(value.text.utf8)))
    }

    static func xml(_ status: Int, _ text: String) -> Reply {
        Reply(status, headers: [("Content-Type", "text/xml;charset=UTF-8")], body: .data(Data(text.utf8)))
    }

    static func text(_ status: Int, _ text: String, type: String = "text/plain;charset=UTF-8") -> Reply {
        Reply(status, headers: [("Content-Type", type)], body: .data(Data(text.utf8)))
    }
}
