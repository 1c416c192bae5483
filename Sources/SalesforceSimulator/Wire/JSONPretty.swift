import Foundation

extension JSON {
    /// Spreads compact JSON over lines as Salesforce does for `X-PrettyPrint`: two blanks a level, ` : ` after a key,
    /// the elements of a list on the lines of the list (wire reference 2.1).
    static func pretty(_ compact: Data) -> Data {
        var output: [UInt8] = []
        output.reserveCapacity(compact.count * 2)
        let bytes = [UInt8](compact)
        // True for each open object, false for each open list.
        var open: [Bool] = []
        var level = 0
        func newLine() {
            output.append(UInt8(ascii: "\n"))
            output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                let start = index - 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
                index = min(index + 1, bytes.count)
                output.append(contentsOf: bytes[start..<index])
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = byte == UInt8(ascii: "{")
                output.append(byte)
                if index < bytes.count, bytes[index] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    output.append(UInt8(ascii: " "))
                    output.append(bytes[index])
                    index += 1
                    continue
                }
                open.append(isObject)
                if isObject { level += 1; newLine() } else { output.append(UInt8(ascii: " ")) }
            case UInt8(ascii: "}"):
                _ = open.popLast()
                level -= 1
                newLine()
                output.append(byte)
            case UInt8(ascii: "]"):
                _ = open.popLast()
                output.append(contentsOf: " ]".utf8)
            case UInt8(ascii: ","):
                output.append(byte)
                if open.last == true { newLine() } else { output.append(UInt8(ascii: " ")) }
            case UInt8(ascii: ":"): output.append(contentsOf: " : ".utf8)
            default: output.append(byte)
            }
        }
        return Data(output)
    }
}

extension Reply {
    /// The same answer on several lines when the client asks for it.
    func prettyPrinted(for request: SimRequest) -> Reply {
        guard ["1", "true"].contains(request.headers["x-prettyprint"]?.lowercased()), case .data(let data) = body,
            headers.contains(where: { $0.1.hasPrefix("application/json") })
        else { return self }
        var reply = self
        reply.body = .data(JSON.pretty(data))
        return reply
    }
}
