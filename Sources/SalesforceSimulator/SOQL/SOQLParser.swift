/// Reads the subset of SOQL that a sync tool sends (wire reference 6.1).
struct SOQLParser {
    private let query: String
    private let tokens: [SOQLToken]
    private var index = 0

    /// - Throws: ``APIError`` MALFORMED_QUERY with the place.
    static func parse(_ query: String) throws -> SOQLQuery {
        guard query.count <= 100_000 else { throw malformed(query, "SOQL statement too long", at: 0) }
        do {
            var parser = SOQLParser(query: query, tokens: try SOQLLexer.tokens(of: query))
            return try parser.select()
        } catch let failure as SOQLLexer.Failure {
            throw malformed(query, failure.message, at: failure.offset)
        }
    }

    /// A refusal that shows the query with a caret under the place, as Salesforce does.
    static func refusal(_ code: String, _ query: String, _ message: String, at offset: Int) -> APIError {
        let before = query.unicodeScalars.prefix(offset)
        let row = before.reduce(1) { $0 + ($1 == "\n" ? 1 : 0) }
        let lineStart = before.lastIndex(of: "\n").map { query.unicodeScalars.index(after: $0) } ?? query.unicodeScalars.startIndex
        let column = query.unicodeScalars.distance(from: lineStart, to: before.endIndex) + 1
        let line = query.unicodeScalars[lineStart...].prefix { $0 != "\n" }
        let window = String(String.UnicodeScalarView(line.dropFirst(max(0, column - 41)).prefix(80)))
        let caret = String(repeating: " ", count: min(column - 1, 40)) + "^"
        var error = APIError(400, code, "\n\(window)\n\(caret)\nERROR at Row:\(row):Column:\(column)\n\(message)")
        error.position = (row, column)
        return error
    }

    static func malformed(_ query: String, _ message: String, at offset: Int) -> APIError {
        refusal("MALFORMED_QUERY", query, message, at: offset)
    }

    private init(query: String, tokens: [SOQLToken]) {
        self.query = query
        self.tokens = tokens
    }

    private var current: SOQLToken { tokens[index] }

    private func unexpected() -> APIError {
        SOQLParser.malformed(query, "unexpected token: '\(current.text)'", at: current.offset)
    }

    private func isWord(_ word: String) -> Bool { current.kind == .word && current.text.uppercased() == word }

    private mutating func takeWord(_ word: String) -> Bool {
        guard isWord(word) else { return false }
        index += 1
        return true
    }

    private mutating func takeSymbol(_ symbol: String) -> Bool {
        guard current.kind == .symbol, current.text == symbol else { return false }
        index += 1
        return true
    }

    private mutating func expectSymbol(_ symbol: String) throws {
        guard takeSymbol(symbol) else {
            throw SOQLParser.malformed(query, "expecting '\(symbol)', found '\(current.text)'", at: current.offset)
        }
    }

    private static let reserved: Set<String> = ["SELECT", "FROM", "WHERE", "ORDER", "LIMIT", "OFFSET", "AND", "OR", "NOT", "IN", "LIKE", "GROUP"]

    private mutating func name() throws -> SOQLQuery.Name {
        guard current.kind == .word, !SOQLParser.reserved.contains(current.text.uppercased()) else { throw unexpected() }
        defer { index += 1 }
        return SOQLQuery.Name(text: current.text, offset: current.offset)
    }

    private mutating func select() throws -> SOQLQuery {
        guard takeWord("SELECT") else { throw unexpected() }
        var items: [SOQLQuery.Item] = []
        var countsRows = false
        repeat {
            if isWord("COUNT"), tokens[index + 1].text == "(", tokens[index + 2].text == ")" {
                guard items.isEmpty else { throw unexpected() }
                index += 3
                countsRows = true
                break
            }
            items.append(try item())
        } while takeSymbol(",")
        guard takeWord("FROM") else { throw unexpected() }
        var parsed = SOQLQuery(items: items, countsRows: countsRows, object: try name())
        if current.kind == .word, !["WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "ALL", "FOR", "USING", "WITH"].contains(current.text.uppercased()) {
            _ = takeWord("AS")
            parsed.alias = try name().text
        }
        if takeWord("WHERE") { parsed.condition = try condition() }
        if takeWord("ORDER") {
            guard takeWord("BY") else { throw unexpected() }
            repeat { parsed.order.append(try order()) } while takeSymbol(",")
        }
        if takeWord("LIMIT") { parsed.limit = try count() }
        if takeWord("OFFSET") {
            let place = current.offset
            let value = try count()
            guard value <= 2_000 else {
                throw SOQLParser.refusal("NUMBER_OUTSIDE_VALID_RANGE", query, "Maximum SOQL offset allowed is 2000", at: place)
            }
            parsed.offset = value
        }
        guard current.kind == .end else { throw unexpected() }
        return parsed
    }

    private mutating func item() throws -> SOQLQuery.Item {
        let word = try name()
        guard takeSymbol("(") else { return .field(word) }
        if word.text.uppercased() == "FIELDS" {
            let scope = try name()
            try expectSymbol(")")
            return .fields(scope.text.uppercased(), offset: word.offset)
        }
        guard let function = SOQLQuery.Aggregate(rawValue: word.text.lowercased()) else {
            throw SOQLParser.malformed(query, "unexpected token: '('", at: word.offset + word.text.count)
        }
        let field = try name()
        try expectSymbol(")")
        var alias: String?
        if current.kind == .word, !SOQLParser.reserved.contains(current.text.uppercased()) { alias = try name().text }
        return .aggregate(function, field, alias: alias)
    }

    private mutating func count() throws -> Int {
        guard current.kind == .literal, let value = Int(current.text), value >= 0 else { throw unexpected() }
        index += 1
        return value
    }

    private mutating func order() throws -> SOQLQuery.Order {
        let field = try name()
        var descending = false
        if takeWord("DESC") { descending = true } else { _ = takeWord("ASC") }
        var nullsLast = descending
        if takeWord("NULLS") {
            if takeWord("LAST") { nullsLast = true } else if takeWord("FIRST") { nullsLast = false } else { throw unexpected() }
        }
        return SOQLQuery.Order(name: field, descending: descending, nullsLast: nullsLast)
    }

    /// AND and OR may not be mixed on one level without parentheses.
    private mutating func condition() throws -> SOQLQuery.Condition {
        let first = try simple()
        if isWord("AND") {
            var parts = [first]
            while takeWord("AND") { parts.append(try simple()) }
            guard !isWord("OR") else { throw unexpected() }
            return .all(parts)
        }
        if isWord("OR") {
            var parts = [first]
            while takeWord("OR") { parts.append(try simple()) }
            guard !isWord("AND") else { throw unexpected() }
            return .any(parts)
        }
        return first
    }

    private mutating func simple() throws -> SOQLQuery.Condition {
        if takeWord("NOT") { return .not(try simple()) }
        if takeSymbol("(") {
            let inner = try condition()
            try expectSymbol(")")
            return inner
        }
        let field = try name()
        let negated = isWord("NOT") && tokens[index + 1].text.uppercased() == "IN"
        if negated { index += 1 }
        if takeWord("IN") { return .list(field, try list { try $0.literal() }, negated: negated) }
        if isWord("INCLUDES") || isWord("EXCLUDES") {
            let excluding = isWord("EXCLUDES")
            index += 1
            let values = try list { parser -> String in
                guard case .string(let text) = try parser.literal() else { throw parser.unexpected() }
                return text
            }
            return .choices(field, values, excluding: excluding)
        }
        if takeWord("LIKE") { return .compare(field, .like, try literal()) }
        guard current.kind == .symbol, let comparison = SOQLQuery.Comparison(rawValue: current.text == "<>" ? "!=" : current.text) else { throw unexpected() }
        index += 1
        return .compare(field, comparison, try literal())
    }

    private mutating func list<Element>(_ element: (inout SOQLParser) throws -> Element) throws -> [Element] {
        try expectSymbol("(")
        var values = [try element(&self)]
        while takeSymbol(",") { values.append(try element(&self)) }
        try expectSymbol(")")
        return values
    }

    private mutating func literal() throws -> SOQLQuery.Literal {
        let token = current
        switch token.kind {
        case .string:
            guard token.text.count <= 4_000 else { throw SOQLParser.malformed(query, "string literal too long", at: token.offset) }
            index += 1
            return .string(token.text)
        case .word:
            index += 1
            switch token.text.uppercased() {
            case "NULL": return .null
            case "TRUE": return .bool(true)
            case "FALSE": return .bool(false)
            default:
                index -= 1
                throw SOQLParser.malformed(query, "unexpected token: '\(token.text)'", at: token.offset)
            }
        case .literal:
            index += 1
            if isNumber(token.text) { return .number(token.text) }
            if token.text.contains("T"), token.text.contains(where: { "Z+".contains($0) }) || token.text.dropFirst(11).contains("-"),
                let instant = TimeText.parseDateTime(token.text) { return .dateTime(instant) }
            if token.text.count == 10, let date = TimeText.parseDate(token.text) { return .date(date) }
            if token.text.contains(":"), let time = TimeText.parseTimeOfDay(token.text) { return .time(time) }
            index -= 1
            throw unexpected()
        default: throw unexpected()
        }
    }
}
