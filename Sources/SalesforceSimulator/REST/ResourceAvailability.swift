/// From which API version on a REST resource exists, and which methods it takes (wire reference 2.2, 2.3, 4.2, 4.3).
///
/// The numbers are background knowledge: this table is the one place to correct them.
struct ResourceAvailability: Sendable {
    /// What follows `/services/data/v{v}`, in lower case; `*` stands for any one part.
    var path: [String]
    var since: Double
    var methods: [String]

    private init(_ path: String, since: Double, _ methods: String) {
        self.path = path.split(separator: "/").map(String.init)
        self.since = since
        self.methods = methods.split(separator: " ").map(String.init)
    }

    /// The first row that fits counts: special resources stand before general ones.
    private static let table = [
        ResourceAvailability("", since: 20, "GET HEAD"),
        ResourceAvailability("query", since: 20, "GET HEAD"),
        ResourceAvailability("query/*", since: 20, "GET HEAD"),
        ResourceAvailability("queryall", since: 29, "GET HEAD"),
        ResourceAvailability("queryall/*", since: 29, "GET HEAD"),
        ResourceAvailability("limits", since: 24, "GET HEAD"),
        ResourceAvailability("sobjects", since: 20, "GET HEAD"),
        ResourceAvailability("sobjects/*", since: 20, "GET HEAD POST"),
        ResourceAvailability("sobjects/*/describe", since: 20, "GET HEAD"),
        ResourceAvailability("sobjects/*/updated", since: 32, "GET HEAD"),
        ResourceAvailability("sobjects/*/deleted", since: 32, "GET HEAD"),
        ResourceAvailability("sobjects/*/id", since: 20, "POST"),
        ResourceAvailability("sobjects/*/*", since: 20, "GET HEAD PATCH DELETE"),
        ResourceAvailability("sobjects/*/*/*", since: 20, "GET HEAD PATCH DELETE POST"),
        ResourceAvailability("composite", since: 38, "POST"),
        ResourceAvailability("composite/batch", since: 34, "POST"),
        ResourceAvailability("composite/tree/*", since: 34, "POST"),
        ResourceAvailability("composite/sobjects", since: 42, "POST PATCH DELETE"),
        ResourceAvailability("composite/sobjects/*", since: 42, "GET HEAD POST"),
        ResourceAvailability("composite/sobjects/*/*", since: 46, "PATCH"),
    ]

    private func fits(_ resource: [String]) -> Bool {
        path.count == resource.count && zip(path, resource).allSatisfy { $0 == "*" || $0 == $1 }
    }

    /// - Throws: NOT_FOUND for a resource that the version does not have yet, METHOD_NOT_ALLOWED with the methods that it takes.
    static func check(_ resource: [String], method: String, version: String) throws {
        let lowered = resource.map { $0.lowercased() }
        guard let entry = table.first(where: { $0.fits(lowered) }) else { return }
        guard (Double(version) ?? 0) >= entry.since else { throw APIError.notFound() }
        guard entry.methods.contains(method) else {
            var error = APIError(405, "METHOD_NOT_ALLOWED", "HTTP Method '\(method)' not allowed. Allowed are \(entry.methods.sorted().joined(separator: ","))")
            error.allowedMethods = entry.methods.sorted()
            throw error
        }
    }

    /// The first parts of the resources that the version has, as `GET /services/data/v{v}` lists them.
    static func roots(_ version: String) -> [String] {
        let number = Double(version) ?? 0
        return [("composite", 38), ("jobs", 41), ("limits", 24), ("query", 20), ("queryAll", 29), ("sobjects", 20)]
            .filter { number >= $0.1 }.map(\.0)
    }
}
