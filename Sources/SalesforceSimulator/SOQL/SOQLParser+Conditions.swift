extension SOQLParser {
    /// AND and OR may not be mixed on one level without parentheses.
    mutating func condition() throws -> SOQLQuery.Condition {
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
        depth += 1
        defer { depth -= 1 }
        guard depth <= SOQLParser.deepest else { throw SOQLParser.tooComplicated }
        if takeWord("NOT") { return .not(try simple()) }
        if takeSymbol("(") {
            let inner = try condition()
            try expectSymbol(")")
            return inner
        }
        let field = try name()
        let negated = isWord("NOT") && isWord("IN", ahead: 1)
        if negated { index += 1 }
        if takeWord("IN") {
            if isSymbol("("), isWord("SELECT", ahead: 1) {
                index += 1
                let inner = try select(within: 1)
                try expectSymbol(")")
                return .within(field, inner, negated: negated)
            }
            return .list(field, try list { try $0.literal() }, negated: negated)
        }
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
            guard token.text.unicodeScalars.count <= 4_000 else {
                throw SOQLParser.malformed(query, "string literal is longer than 4000 characters", at: token.offset)
            }
            index += 1
            return .string(token.text)
        case .word: return try word(token)
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

    private mutating func word(_ token: SOQLToken) throws -> SOQLQuery.Literal {
        index += 1
        let text = token.text.uppercased()
        switch text {
        case "NULL": return .null
        case "TRUE": return .bool(true)
        case "FALSE": return .bool(false)
        default:
            if let span = DateLiteral(text) { return .days(span) }
            let digits = String(token.text.dropFirst(3))
            if text.prefix(3).allSatisfy(\.isLetter), isNumber(digits) { return .currency(digits) }
            index -= 1
            throw unexpected()
        }
    }
}
