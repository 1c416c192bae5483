/// Reads SOQL (wire reference 6.1, and GROUP BY, functions and subqueries beyond it).
struct SOQLParser {
    let query: String
    let tokens: [SOQLToken]
    var index = 0
    /// Parentheses and NOTs around the current place; a query that goes deeper than this is too complicated.
    var depth = 0
    static let deepest = 150

    /// - Throws: ``APIError`` MALFORMED_QUERY with the place.
    static func parse(_ query: String) throws -> SOQLQuery {
        guard query.utf8.count <= 100_000 || query.unicodeScalars.count <= 100_000 else {
            throw APIError(400, "MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
        }
        do {
            var parser = SOQLParser(query: query, tokens: try SOQLLexer.tokens(of: query))
            let parsed = try parser.select(within: 0)
            guard parser.current.kind == .end else { throw parser.unexpected() }
            return parsed
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

    static let tooComplicated = APIError(
        400, "QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or the filter conditions are too complicated.")

    private init(query: String, tokens: [SOQLToken]) {
        self.query = query
        self.tokens = tokens
    }

    // MARK: Tokens

    var current: SOQLToken { tokens[index] }

    func unexpected() -> APIError { SOQLParser.malformed(query, "unexpected token: '\(current.text)'", at: current.offset) }

    func isWord(_ word: String, ahead: Int = 0) -> Bool {
        index + ahead < tokens.count && tokens[index + ahead].kind == .word && tokens[index + ahead].text.uppercased() == word
    }

    func isSymbol(_ symbol: String, ahead: Int = 0) -> Bool {
        index + ahead < tokens.count && tokens[index + ahead].kind == .symbol && tokens[index + ahead].text == symbol
    }

    mutating func takeWord(_ word: String) -> Bool {
        guard isWord(word) else { return false }
        index += 1
        return true
    }

    mutating func takeSymbol(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        index += 1
        return true
    }

    mutating func expectWord(_ word: String) throws { guard takeWord(word) else { throw unexpected() } }

    mutating func expectSymbol(_ symbol: String) throws {
        guard takeSymbol(symbol) else {
            throw SOQLParser.malformed(query, "expecting '\(symbol)', found '\(current.text)'", at: current.offset)
        }
    }

    private static let reserved: Set<String> = [
        "SELECT", "FROM", "WHERE", "ORDER", "LIMIT", "OFFSET", "AND", "OR", "NOT", "IN", "LIKE", "GROUP", "HAVING", "WITH", "USING", "FOR",
    ]

    mutating func plainName() throws -> SOQLQuery.Name {
        guard current.kind == .word, !SOQLParser.reserved.contains(current.text.uppercased()) else { throw unexpected() }
        defer { index += 1 }
        return SOQLQuery.Name(text: current.text, offset: current.offset)
    }

    /// A field, or a function of one.
    mutating func name() throws -> SOQLQuery.Name {
        let word = try plainName()
        guard isSymbol("(") else { return word }
        let function = word.text.uppercased()
        guard SOQLFunction.isKnown(function) else {
            throw SOQLParser.malformed(query, "unexpected token: '('", at: current.offset)
        }
        index += 1
        var field = try plainName()
        // convertTimezone is as good as its argument: users live in GMT.
        if field.text.uppercased() == "CONVERTTIMEZONE", takeSymbol("(") {
            field = try plainName()
            try expectSymbol(")")
        }
        try expectSymbol(")")
        return SOQLQuery.Name(text: field.text, offset: field.offset, function: function)
    }

    // MARK: The statement

    /// - Parameter level: 0 for the query itself, 1 and on for subqueries of select lists.
    mutating func select(within level: Int) throws -> SOQLQuery {
        try expectWord("SELECT")
        guard level <= 5 else { throw SOQLParser.malformed(query, "the query nests more than five levels of children", at: current.offset) }
        var items: [SOQLQuery.Item] = []
        var countsRows = false
        repeat {
            if isWord("COUNT"), isSymbol("(", ahead: 1), isSymbol(")", ahead: 2) {
                guard items.isEmpty, level == 0 else { throw unexpected() }
                index += 3
                countsRows = true
                break
            }
            items.append(try item(level))
        } while takeSymbol(",")
        try expectWord("FROM")
        var parsed = SOQLQuery(items: items, countsRows: countsRows, object: try plainName())
        if isWord("AS") || (current.kind == .word && !SOQLParser.reserved.union(["ALL"]).contains(current.text.uppercased())) {
            _ = takeWord("AS")
            parsed.alias = try plainName().text
        }
        if takeWord("USING") {
            try expectWord("SCOPE")
            guard try plainName().text.uppercased() == "EVERYTHING" else { throw SOQLParser.malformed(query, "scope not supported", at: tokens[index - 1].offset) }
        }
        if takeWord("WHERE") { parsed.condition = try condition() }
        if isWord("WITH") {
            index += 1
            guard takeWord("SECURITY_ENFORCED") || takeWord("USER_MODE") || takeWord("SYSTEM_MODE") else { throw unexpected() }
        }
        if takeWord("GROUP") {
            try expectWord("BY")
            repeat { parsed.grouping.append(try name()) } while takeSymbol(",")
            if takeWord("HAVING") { parsed.having = try condition() }
        }
        if takeWord("ORDER") {
            try expectWord("BY")
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
        if level == 0, takeWord("FOR") {
            guard takeWord("VIEW") || takeWord("REFERENCE") else { throw unexpected() }
        }
        return parsed
    }

    private mutating func item(_ level: Int) throws -> SOQLQuery.Item {
        if takeSymbol("(") {
            let children = try select(within: level + 1)
            try expectSymbol(")")
            return .children(children)
        }
        if isWord("FIELDS"), isSymbol("(", ahead: 1) {
            let offset = current.offset
            index += 2
            let scope = try plainName()
            try expectSymbol(")")
            return .fields(scope.text.uppercased(), offset: offset)
        }
        let field = try name()
        var alias: String?
        if current.kind == .word, !SOQLParser.reserved.contains(current.text.uppercased()) { alias = try plainName().text }
        return .field(field, alias: alias)
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
}
