/// Where a server is, as a connection string names it: a host name, an address or the folder of a socket, and a port.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: String

    public init(host: String, port: String) {
        self.host = host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The addresses of libpq's lists, which commas separate; a single port is that of every host.
    static func list(hosts: String, addresses: String, ports: String) -> [ServerAddress] {
        func parts(_ text: String) -> [String] { text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let hosts = parts(hosts), addresses = parts(addresses), ports = parts(ports)
        return (0..<max(hosts.count, addresses.count)).compactMap { index in
            let host = index < hosts.count ? hosts[index] : "", address = index < addresses.count ? addresses[index] : ""
            let name = host.isEmpty ? address : host
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
            return name.isEmpty ? nil : ServerAddress(host: name, port: port.isEmpty ? "5432" : port)
        }
    }
}

extension PostgresSession {
    /// Where this session leads; nil when closed.
    public var address: ServerAddress? { connection?.address }

    /// All servers of the connection string, one of which this session leads to.
    public var listedAddresses: [ServerAddress] { connection?.listedAddresses ?? [] }
}
