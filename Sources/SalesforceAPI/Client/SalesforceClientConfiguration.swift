/// How one org is talked to.
public struct SalesforceClientConfiguration: Sendable {
    /// Which API carries writes and retrieves.
    public enum WriteAPI: String, Sendable, CaseIterable {
        /// SOAP, or REST collections where the org issues JWT-format tokens, which SOAP refuses.
        case automatic
        case soap
        case restCollections
    }

    /// The version of all paths. API reference 0 advises 58.0 or later.
    public var apiVersion: APIVersion
    /// Sent as `client` in call options; it comes back as `changeOrigin` in change events, where it marks our own writes.
    public var clientName: String
    public var writeAPI: WriteAPI
    /// The time allowed for a call that writes. Salesforce may work ten minutes on it, so anything below 620 s can leave calls
    /// in doubt that were merely slow.
    public var writeTimeout: Duration
    /// The time allowed for a call that reads; queries end by themselves after 120 s.
    public var readTimeout: Duration
    public var connectTimeout: Duration
    /// The longest silence in a streamed result.
    public var stallTimeout: Duration
    /// The largest answer read into memory, in bytes; one page of a query is the largest there is.
    public var maximumBodyBytes: Int
    /// Request bodies above this size, in bytes, are compressed.
    public var compressionThreshold: Int
    /// The longest query string, in bytes after escaping, that goes in the address; longer ones go by composite.
    public var maximumQueryStringBytes: Int

    public init(
        apiVersion: APIVersion = APIVersion(62), clientName: String = "hc-sync/1.0", writeAPI: WriteAPI = .automatic,
        writeTimeout: Duration = .seconds(620), readTimeout: Duration = .seconds(180), connectTimeout: Duration = .seconds(30),
        stallTimeout: Duration = .seconds(120), maximumBodyBytes: Int = 32 << 20, compressionThreshold: Int = 1024,
        maximumQueryStringBytes: Int = 8000
    ) {
        self.apiVersion = apiVersion
        self.clientName = clientName
        self.writeAPI = writeAPI
        self.writeTimeout = writeTimeout
        self.readTimeout = readTimeout
        self.connectTimeout = connectTimeout
        self.stallTimeout = stallTimeout
        self.maximumBodyBytes = maximumBodyBytes
        self.compressionThreshold = compressionThreshold
        self.maximumQueryStringBytes = maximumQueryStringBytes
    }
}
