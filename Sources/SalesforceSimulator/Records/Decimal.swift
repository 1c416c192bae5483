/// Decimal arithmetic on text: a value is stored as a whole number of its last digit, so that 18 digits stay exact.
func power(of base: Int64, _ exponent: Int) -> Int64 {
    var result: Int64 = 1
    for _ in 0..<max(exponent, 0) { result *= base }
    return result
}

func isNumber(_ text: String) -> Bool {
    guard let value = Double(text), value.isFinite else { return false }
    return text.utf8.allSatisfy { "+-.eE0123456789".utf8.contains($0) }
}

/// The number times 10^scale, rounded half away from zero; nil when it is no number or does not fit in 64 bits.
func scaled(_ text: String, scale: Int) -> Int64? {
    guard isNumber(text) else { return nil }
    var body = Substring(text.lowercased())
    var negative = false
    if body.first == "-" || body.first == "+" {
        negative = body.first == "-"
        body = body.dropFirst()
    }
    var exponent = 0
    if let mark = body.firstIndex(of: "e") {
        guard let value = Int(body[body.index(after: mark)...]) else { return nil }
        exponent = value
        body = body[..<mark]
    }
    let parts = body.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    var digits = Array(parts[0].utf8) + (parts.count == 2 ? Array(parts[1].utf8) : [])
    // The decimal point stands after this many digits.
    let point = parts[0].utf8.count + exponent + scale
    if point < 0 { return 0 }
    if point > digits.count {
        guard point < 40 else { return digits.allSatisfy { $0 == UInt8(ascii: "0") } ? 0 : nil }
        digits += [UInt8](repeating: UInt8(ascii: "0"), count: point - digits.count)
    }
    var result: Int64 = 0
    for digit in digits[..<point] {
        let (product, overflow) = result.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
        guard !overflow, !carry else { return nil }
        result = sum
    }
    if point < digits.count, digits[point] >= UInt8(ascii: "5") { result += 1 }
    return negative ? -result : result
}

/// The number as Salesforce writes it: at least one digit after the point, an exponent from ten millions on
/// (`1.2345678E7`) as long as the digits fit in a double, plain otherwise (wire reference 3.4, 4.4, 8.2).
func decimalText(_ value: Int64, scale: Int) -> String {
    let negative = value < 0
    var digits = String(value.magnitude)
    if digits.count <= scale { digits = String(repeating: "0", count: scale - digits.count + 1) + digits }
    let whole = String(digits.dropLast(scale))
    var fraction = String(digits.suffix(scale))
    while fraction.last == "0" { fraction.removeLast() }
    let sign = negative ? "-" : ""
    let significant = (whole + fraction).drop { $0 == "0" }
    if whole.count > 7, significant.count <= 15 {
        var mantissa = String((whole + fraction).dropFirst())
        while mantissa.last == "0" { mantissa.removeLast() }
        return sign + String(whole.prefix(1)) + "." + (mantissa.isEmpty ? "0" : mantissa) + "E" + String(whole.count - 1)
    }
    return sign + whole + "." + (fraction.isEmpty ? "0" : fraction)
}
