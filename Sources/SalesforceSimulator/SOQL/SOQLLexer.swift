/// A piece of a query and where it stands, counted from 0 in characters.
struct SOQLToken: Equatable {
    enum Kind: Equatable {
        /// A name, a path with dots, or a keyword.
        case word
        case string
        /// Numbers, dates, datetimes and times: told apart by ``SOQLLiteral``.
        case literal
        case symbol
        case end
    }
    var kind: Kind
    var text: String
    var offset: Int
}

/// Cuts SOQL into tokens (wire reference 6.1, 6.2).
struct SOQLLexer {
    struct Failure: Error {
        var message: String
        var offset: Int
    }

    static func tokens(of query: String) throws -> [SOQLToken] {
        let characters = Array(query.unicodeScalars)
        var tokens: [SOQLToken] = []
        var position = 0
        func text(_ range: Range<Int>) -> String { String(String.UnicodeScalarView(characters[range])) }
        while position < characters.count {
            let scalar = characters[position]
            let start = position
            if scalar.properties.isWhitespace {
                position += 1
            } else if scalar == "'" {
                let (value, end) = try string(characters, from: position)
                tokens.append(SOQLToken(kind: .string, text: value, offset: start))
                position = end
            } else if isDigit(scalar) || ((scalar == "-" || scalar == "+") && position + 1 < characters.count && isDigit(characters[position + 1])) {
                position += 1
                while position < characters.count, isWordPart(characters[position]) || ":.+-".unicodeScalars.contains(characters[position]) { position += 1 }
                tokens.append(SOQLToken(kind: .literal, text: text(start..<position), offset: start))
            } else if isWordPart(scalar) {
                while position < characters.count,
                    isWordPart(characters[position]) || characters[position] == "." || characters[position] == ":" { position += 1 }
                tokens.append(SOQLToken(kind: .word, text: text(start..<position), offset: start))
            } else if "<>!".unicodeScalars.contains(scalar), position + 1 < characters.count, characters[position + 1] == "=" || (scalar == "<" && characters[position + 1] == ">") {
                position += 2
                tokens.append(SOQLToken(kind: .symbol, text: text(start..<position), offset: start))
            } else if "(),=<>".unicodeScalars.contains(scalar) {
                position += 1
                tokens.append(SOQLToken(kind: .symbol, text: text(start..<position), offset: start))
            } else {
                throw Failure(message: "unexpected char: '\(scalar)'", offset: start)
            }
        }
        tokens.append(SOQLToken(kind: .end, text: "<EOF>", offset: characters.count))
        return tokens
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    /// Stands in a token's text for the backslash of `\_` and `\%`, which mean something to LIKE only. No client can send it.
    static let wildcardEscape: Unicode.Scalar = "\u{10FFFE}"

    private static func string(_ characters: [Unicode.Scalar], from start: Int) throws -> (String, Int) {
        var value = String.UnicodeScalarView()
        var position = start + 1
        while position < characters.count {
            let scalar = characters[position]
            if scalar == "'" { return (String(value), position + 1) }
            guard scalar == "\\" else {
                value.append(scalar)
                position += 1
                continue
            }
            guard position + 1 < characters.count else { break }
            let next = characters[position + 1]
            position += 2
            switch next {
            case "'", "\"", "\\": value.append(next)
            case "n", "N": value.append("\n")
            case "r", "R": value.append("\r")
            case "t", "T": value.append("\t")
            case "b", "B": value.append("\u{8}")
            case "f", "F": value.append("\u{C}")
            case "_", "%":
                value.append(wildcardEscape)
                value.append(next)
            case "u":
                guard position + 4 <= characters.count,
                    let code = UInt32(String(String.UnicodeScalarView(characters[position..<position + 4])), radix: 16),
                    let decoded = Unicode.Scalar(code)
                else { throw Failure(message: "Invalid unicode escape", offset: position - 2) }
                value.append(decoded)
                position += 4
            default: throw Failure(message: "Invalid string literal '\\\(next)'. Illegal character sequence '\\\(next)' in string literal.", offset: position - 2)
            }
        }
        throw Failure(message: "unterminated string", offset: start)
    }
}
