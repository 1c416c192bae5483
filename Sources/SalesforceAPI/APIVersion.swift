/// A version of Salesforce's API such as `62.0`.
public struct APIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public init(_ major: Int, _ minor: Int = 0) {
        self.major = major
        self.minor = minor
    }

    /// Reads `62.0`, `62`, or `v62.0`; nil for anything else.
    public init?(_ text: String) {
        let digits = text.hasPrefix("v") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let major = Int(parts[0]), major > 0, let minor = parts.count == 2 ? Int(parts[1]) : 0
        else { return nil }
        self.init(major, minor)
    }

    public static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// Without the `v`, as SOAP, Bulk 1.0 and CometD paths use it; REST paths put a `v` before it.
    public var description: String { "\(major).\(minor)" }

    /// Whether this version offers `feature`.
    public func supports(_ feature: APIFeature) -> Bool {
        self >= feature.since && feature.until.map { self < $0 } ?? true
    }

    /// How a query job runs with this version.
    public var bulkQuery: BulkQueryKind { supports(.bulk2Query) ? .bulk2 : .bulk1 }
}

/// Which Bulk API answers queries.
public enum BulkQueryKind: Sendable { case bulk1, bulk2 }

/// What depends on the API version. Limits are those of API reference 2.7, 2.8, 2.9, 3.3, 4.1, 4.2 and 4.3.
public enum APIFeature: String, Sendable, CaseIterable {
    case bulk1QueryAll, bulk2Ingest, bulk2Query, bulk2ResultPages, compositeRequest, sObjectCollections
    case collectionsUpsert, upsertReplyHasBody, soapLogin

    /// The first version that has it. Where the reference gives no number (composite, collections) it is background
    /// knowledge.
    public var since: APIVersion {
        switch self {
        case .soapLogin: APIVersion(1)
        case .compositeRequest: APIVersion(38)
        case .bulk1QueryAll: APIVersion(39)
        case .bulk2Ingest: APIVersion(41)
        case .sObjectCollections: APIVersion(42)
        case .collectionsUpsert, .upsertReplyHasBody: APIVersion(46)
        case .bulk2Query: APIVersion(47)
        case .bulk2ResultPages: APIVersion(58)
        }
    }

    /// The first version that no longer has it.
    public var until: APIVersion? { self == .soapLogin ? APIVersion(65) : nil }
}
