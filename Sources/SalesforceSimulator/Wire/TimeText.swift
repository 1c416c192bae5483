import Foundation

/// Dates and times as Salesforce writes and reads them; everything is UTC (wire reference 8.2).
enum TimeText {
    static let millisecondsPerDay: Int64 = 86_400_000

    /// Days since 1970-01-01 of a Gregorian date.
    static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    static func civil(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * monthIndex + 2) / 5 + 1)
        let month = Int(monthIndex < 10 ? monthIndex + 3 : monthIndex - 9)
        return (Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, day)
    }

    /// `2024-01-31`, tolerating a trailing `Z` or time; nil unless it is a day of the calendar.
    static func parseDate(_ text: String) -> String? {
        let parts = text.prefix(10).split(separator: "-", omittingEmptySubsequences: false)
        guard text.count >= 10, parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let rest = text.dropFirst(10)
        guard rest.isEmpty || rest == "Z" || rest.first == "T" else { return nil }
        guard civil(days: days(year: year, month: month, day: day)) == (year, month, day) else { return nil }
        return String(text.prefix(10))
    }

    /// Milliseconds since 1970 of an ISO 8601 date and time; without an offset it is read as UTC.
    static func parseDateTime(_ text: String) -> Int64? {
        guard let date = parseDate(String(text.prefix(10))) else { return nil }
        let parts = date.split(separator: "-").compactMap { Int($0) }
        let start = days(year: parts[0], month: parts[1], day: parts[2]) * millisecondsPerDay
        var rest = text.dropFirst(10)
        if rest.isEmpty { return start }
        guard rest.first == "T" || rest.first == " " else { return nil }
        rest = rest.dropFirst()
        var offset: Int64 = 0
        if rest.hasSuffix("Z") {
            rest = rest.dropLast()
        } else if let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            let digits = rest[rest.index(after: sign)...].filter { $0 != ":" }
            guard digits.count == 4, let hours = Int64(digits.prefix(2)), let minutes = Int64(digits.suffix(2)) else { return nil }
            offset = (hours * 60 + minutes) * 60_000 * (rest[sign] == "-" ? -1 : 1)
            rest = rest[..<sign]
        }
        guard let time = parseTimeOfDay(String(rest)) else { return nil }
        return start + time - offset
    }

    /// Milliseconds since midnight of `13:30`, `13:30:00` or `13:30:00.000`, with or without `Z`.
    static func parseTimeOfDay(_ text: String) -> Int64? {
        let body = text.hasSuffix("Z") ? String(text.dropLast()) : text
        let parts = body.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let hours = Int64(parts[0]), let minutes = Int64(parts[1]),
            (0..<24).contains(hours), (0..<60).contains(minutes)
        else { return nil }
        guard parts.count == 3 else { return (hours * 60 + minutes) * 60_000 }
        let seconds = parts[2].split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = Int64(seconds[0]), (0..<60).contains(whole), seconds.count <= 2 else { return nil }
        var milliseconds: Int64 = 0
        if seconds.count == 2 {
            let digits = (seconds[1] + "00").prefix(3)
            guard let value = Int64(digits), seconds[1].allSatisfy(\.isNumber) else { return nil }
            milliseconds = value
        }
        return ((hours * 60 + minutes) * 60 + whole) * 1_000 + milliseconds
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
    }

    /// `13:30:00.000`
    private static func clock(_ milliseconds: Int64) -> String {
        let total = Int(milliseconds)
        return pad(total / 3_600_000, 2) + ":" + pad(total / 60_000 % 60, 2) + ":" + pad(total / 1_000 % 60, 2)
            + "." + pad(total % 1_000, 3)
    }

    static func timeOfDay(_ milliseconds: Int64) -> String { clock(milliseconds) + "Z" }

    private static func dateAndTime(_ milliseconds: Int64) -> String {
        var day = milliseconds / millisecondsPerDay
        var rest = milliseconds % millisecondsPerDay
        if rest < 0 {
            rest += millisecondsPerDay
            day -= 1
        }
        let date = civil(days: day)
        return pad(date.year, 4) + "-" + pad(date.month, 2) + "-" + pad(date.day, 2) + "T" + clock(rest)
    }

    /// `2024-01-31T12:00:00.000Z`, the form of SOAP, CSV and Bulk XML.
    static func zulu(_ milliseconds: Int64) -> String { dateAndTime(milliseconds) + "Z" }

    /// `2024-01-31T12:00:00.000+0000`, the form of REST.
    static func rest(_ milliseconds: Int64) -> String { dateAndTime(milliseconds) + "+0000" }

    /// Milliseconds since 1970 of an RFC 9110 date.
    static func parseHTTP(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]),
            let time = parseTimeOfDay(String(parts[4]))
        else { return nil }
        return days(year: year, month: month + 1, day: day) * millisecondsPerDay + time
    }

    /// RFC 9110's `Tue, 10 Aug 2024 00:00:00 GMT`.
    static func http(_ milliseconds: Int64) -> String {
        let day = Int64((Double(milliseconds) / Double(millisecondsPerDay)).rounded(.down))
        let date = civil(days: day)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekday = weekdays[Int(((day % 7) + 7) % 7)]
        return "\(weekday), \(pad(date.day, 2)) \(months[date.month - 1]) \(pad(date.year, 4)) "
            + String(clock(milliseconds - day * millisecondsPerDay).prefix(8)) + " GMT"
    }
}
