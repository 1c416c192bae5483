internal import Foundation
internal import SalesforceAPI

/// A moment by the org's clock, as Salesforce writes it.
struct OrgTime: Sendable, Equatable {
    /// ISO 8601 with a zone, such as `2024-01-01T00:00:00.000Z`.
    let text: String
    private let date: Date

    /// Nil for text that is no time.
    init?(_ text: String) {
        guard let date = Self.parse(text) else { return nil }
        self.text = text
        self.date = date
    }

    private init(_ date: Date) {
        self.date = date
        text = date.formatted(Self.style)
    }

    static func now(_ client: SalesforceClient) async throws -> OrgTime {
        let text = try await client.serverTimestamp()
        guard let time = OrgTime(text) else {
            throw SalesforceError(.inDoubt, code: "unreadable_answer", message: "the org's time cannot be read", operation: "time of the org")
        }
        return time
    }

    func earlier(by duration: Duration) -> OrgTime {
        OrgTime(date.addingTimeInterval(-Double(duration.milliseconds) / 1000))
    }

    /// Time from `other` to this moment; negative if it is later.
    func since(_ other: OrgTime) -> Duration {
        .milliseconds(Int((date.timeIntervalSince(other.date) * 1000).rounded()))
    }

    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    private static func parse(_ text: String) -> Date? {
        // Salesforce writes zones as +0000; the parser wants +00:00 or Z.
        let text = text.hasSuffix("+0000") ? text.dropLast(5) + "Z" : text[...]
        return (try? Date(String(text), strategy: style)) ?? (try? Date(String(text), strategy: Date.ISO8601FormatStyle()))
    }
}
