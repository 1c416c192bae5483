/// A date literal such as `TODAY`, `LAST_MONTH` or `LAST_N_DAYS:7`: a span of whole days, in UTC (wire reference 6.2).
struct DateLiteral: Equatable {
    enum Unit: String { case day = "DAY", week = "WEEK", month = "MONTH", quarter = "QUARTER", year = "YEAR" }

    let unit: Unit
    /// The span in units from the current one: the first, and the one after the last.
    let first: Int
    let end: Int

    /// - Returns: Nil when the text is no date literal.
    init?(_ text: String) {
        let parts = text.uppercased().replacing("FISCAL_", with: "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let count = parts.count == 2 ? Int(parts[1]) : nil
        guard parts.count == 1 || (parts.count == 2 && (count ?? -1) >= 0) else { return nil }
        switch (parts[0], count) {
        case ("TODAY", nil): self.init(.day, 0, 1)
        case ("YESTERDAY", nil): self.init(.day, -1, 0)
        case ("TOMORROW", nil): self.init(.day, 1, 2)
        case ("LAST_90_DAYS", nil): self.init(.day, -90, 1)
        case ("NEXT_90_DAYS", nil): self.init(.day, 1, 91)
        // The days of LAST_N_DAYS include today.
        case ("LAST_N_DAYS", let count?): self.init(.day, -count, 1)
        case (let name, let count):
            let words = name.split(separator: "_").map(String.init)
            guard words.count >= 2, let unit = DateLiteral.unit(words) else { return nil }
            switch (words.first, words.last, count) {
            case ("THIS", _, nil) where words.count == 2 && unit != .day: self.init(unit, 0, 1)
            case ("LAST", _, nil) where words.count == 2 && unit != .day: self.init(unit, -1, 0)
            case ("NEXT", _, nil) where words.count == 2 && unit != .day: self.init(unit, 1, 2)
            case ("LAST", _, let count?) where words.count == 3 && words[1] == "N": self.init(unit, -count, 0)
            case ("NEXT", _, let count?) where words.count == 3 && words[1] == "N": self.init(unit, 1, count + 1)
            case ("N", "AGO", let count?) where words.count == 3: self.init(unit, -count, 1 - count)
            default: return nil
            }
        }
    }

    private init(_ unit: Unit, _ first: Int, _ end: Int) {
        self.unit = unit
        self.first = first
        self.end = end
    }

    private static func unit(_ words: [String]) -> Unit? {
        for word in words {
            if let unit = Unit(rawValue: word) ?? Unit(rawValue: String(word.dropLast())) { return unit }
        }
        return nil
    }

    /// Days since 1970: the first of the span and the one after its last.
    func days(at now: Int64) -> (first: Int64, end: Int64) {
        let today = now / TimeText.millisecondsPerDay
        return (day(first, today), day(end, today))
    }

    private func day(_ offset: Int, _ today: Int64) -> Int64 {
        // Far enough for any calendar, and no number overflows.
        let offset = max(-100_000, min(100_000, offset))
        let date = TimeText.civil(days: today)
        switch unit {
        case .day: return today + Int64(offset)
        // 1970-01-01 was a Thursday; weeks begin on Sunday.
        case .week: return today - (today + 4) % 7 + Int64(offset) * 7
        case .month: return DateLiteral.month(date.year * 12 + date.month - 1 + offset)
        case .quarter: return DateLiteral.month(date.year * 12 + (date.month - 1) / 3 * 3 + offset * 3)
        case .year: return TimeText.days(year: max(1, date.year + offset), month: 1, day: 1)
        }
    }

    private static func month(_ months: Int) -> Int64 {
        let months = max(12, months)
        return TimeText.days(year: months / 12, month: months % 12 + 1, day: 1)
    }
}
