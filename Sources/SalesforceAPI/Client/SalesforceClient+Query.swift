import HTTPTransport

extension SalesforceClient {
    /// The pages of a SOQL query, fetched one at a time as they are asked for.
    /// - Parameter batchSize: records a page, 200 to 2,000; Salesforce may give fewer.
    public func query(_ soql: String, batchSize: Int? = nil) -> QueryPages {
        QueryPages(client: self, resource: "query", soql: soql, batchSize: batchSize, nextRecordsURL: nil)
    }

    /// The same, with deleted and archived rows.
    public func queryAll(_ soql: String, batchSize: Int? = nil) -> QueryPages {
        QueryPages(client: self, resource: "queryAll", soql: soql, batchSize: batchSize, nextRecordsURL: nil)
    }

    /// The rest of a query from the page at `nextRecordsURL`, which ``QueryPage`` gave earlier.
    public func query(resumingAt nextRecordsURL: String) -> QueryPages {
        QueryPages(client: self, resource: "query", soql: "", batchSize: nil, nextRecordsURL: nextRecordsURL)
    }

    /// How many records of `object` there are, of those that `condition` (SOQL, without WHERE) admits.
    public func count(_ object: String, where condition: String? = nil) async throws(SalesforceError) -> Int {
        var pages = query("SELECT COUNT() FROM \(object)" + (condition.map { " WHERE \($0)" } ?? ""))
        guard let total = try await pages.next()?.totalSize else {
            throw unreadable("count of \(object)", status: 200)
        }
        return total
    }

    func page(at path: String, operation: String, headers: [HTTPHeader]) async throws(SalesforceError) -> QueryPage {
        let response = try await send(Call(operation: operation, path: path, headers: headers))
        let status = response.status
        do throws(JSONScanner.Malformed) {
            return try QueryPage.read(response.body)
        } catch {
            throw unreadable(operation, status: status)
        }
    }

    /// The first page of a query too long for an address: the address goes in the body of a composite request (API reference
    /// 2.9), which counts as one call.
    func compositePage(at path: String, operation: String, headers: [HTTPHeader]) async throws(SalesforceError) -> QueryPage {
        var body = JSONWriter()
        body.raw(#"{"allOrNone":false,"compositeRequest":[{"method":"GET","referenceId":"page","url":"#)
        body.string(path)
        if let option = headers.first(where: { $0.name == "Sforce-Query-Options" }) {
            body.raw(#","httpHeaders":{"Sforce-Query-Options":"#)
            body.string(option.value)
            body.raw("}")
        }
        body.raw("}]}")
        return try await withSession(operation: operation) { (grant) throws(SalesforceError) in
            let call = Call(operation: operation, method: .post, path: "\(self.dataPath)/composite", body: body.bytes)
            let response = try await self.exchange(self.request(call, grant), call)
            return try self.compositeAnswer(response, operation: operation)
        }
    }

    private func compositeAnswer(_ response: HTTPResponse, operation: String) throws(SalesforceError) -> QueryPage {
        guard let (status, body) = Self.firstSubresponse(response.body) else {
            throw unreadable(operation, status: response.status)
        }
        guard (200..<300).contains(status) else {
            let inner = HTTPResponse(status: status, body: Array(response.body[body]))
            throw ResponseClassifier.error(inner, envelope: .rest, operation: operation)
                ?? unreadable(operation, status: status)
        }
        do throws(JSONScanner.Malformed) {
            return try QueryPage.read(response.body, in: body)
        } catch {
            throw unreadable(operation, status: response.status)
        }
    }

    private static func firstSubresponse(_ bytes: [UInt8]) -> (status: Int, body: Range<Int>)? {
        do throws(JSONScanner.Malformed) {
            var scanner = JSONScanner(from: 0, to: bytes.count)
            guard let list = try scanner.members(bytes)["compositeResponse"] else { return nil }
            var items = JSONScanner(from: list.lowerBound, to: list.upperBound)
            try items.expect("[", in: bytes)
            let members = try items.members(bytes)
            guard let body = members["body"], let code = members["httpStatusCode"],
                let status = Int(String(decoding: bytes[code], as: UTF8.self))
            else { return nil }
            return (status, body)
        } catch { return nil }
    }
}

/// The pages of one query. A value with a position: copy it and both copies go on by themselves. Holds one page at most.
public struct QueryPages: Sendable {
    private let client: SalesforceClient
    private let resource: String
    private let soql: String
    private let batchSize: Int?
    private var started: Bool
    /// Where the next page is; nil before the first page and after the last.
    public private(set) var nextRecordsURL: String?

    init(client: SalesforceClient, resource: String, soql: String, batchSize: Int?, nextRecordsURL: String?) {
        self.client = client
        self.resource = resource
        self.soql = soql
        self.batchSize = batchSize
        self.nextRecordsURL = nextRecordsURL
        started = nextRecordsURL != nil
    }

    /// The next page, or nil after the last. After an error the same page may be asked for again.
    public mutating func next() async throws(SalesforceError) -> QueryPage? {
        let headers = batchSize.map { [HTTPHeader("Sforce-Query-Options", "batchSize=\(min(max($0, 200), 2000))")] } ?? []
        let page: QueryPage
        if let nextRecordsURL {
            page = try await client.page(at: nextRecordsURL, operation: "next page of a query", headers: headers)
        } else if started {
            return nil
        } else {
            let operation = "query of \(Self.object(of: soql))"
            let encoded = PercentEncoding.encode(soql)
            let path = "\(client.dataPath)/\(resource)?q=\(encoded)"
            page =
                encoded.utf8.count > client.configuration.maximumQueryStringBytes
                ? try await client.compositePage(at: path, operation: operation, headers: headers)
                : try await client.page(at: path, operation: operation, headers: headers)
        }
        started = true
        nextRecordsURL = page.nextRecordsURL
        return page
    }

    /// The object a query reads, for messages; the query itself may hold data.
    static func object(of soql: String) -> String {
        let words = soql.split(whereSeparator: \.isWhitespace)
        guard let from = words.lastIndex(where: { $0.lowercased() == "from" }), from + 1 < words.count else { return "records" }
        return String(words[from + 1])
    }
}
