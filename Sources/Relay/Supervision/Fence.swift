internal import Foundation
internal import Logging
internal import PostgresClient

/// How a relay came to a database, as `hc_identity_differs` wants to know it.
struct Whence: Encodable {
    var address: String?
    var addresses: [String]
    var keeper: String?
    var kept: [String]
    var keptAt: String?

    private enum CodingKeys: String, CodingKey {
        case address, addresses, keeper, kept
        case keptAt = "kept_at"
    }

    /// A socket, or a loopback address, is another server on another machine.
    static func text(_ address: ServerAddress, machine: String) -> String {
        let isHere = address.host.hasPrefix("/") || address.host.hasPrefix("@") || Loopback.isLoopback(url: "tcp://\(address.description)")
        return isHere ? "\(address) on \(machine)" : "\(address)"
    }

    static var machine: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension RelaySession {
    /// How this session came here, with the fence that is kept outside the database, as JSON.
    public func whence(_ keeper: FenceKeeper?) async throws -> String {
        let machine = Whence.machine
        let kept = try keeper?.read()
        let whence = Whence(
            address: await postgres.address.map { Whence.text($0, machine: machine) },
            addresses: await postgres.listedAddresses.map { Whence.text($0, machine: machine) },
            keeper: kept?.keeper, kept: kept?.values ?? [], keptAt: kept?.at)
        return String(decoding: try JSONEncoder().encode(whence), as: UTF8.self)
    }

    /// Why the connection must not be served here, which is then its state as well; nil if nothing speaks against it.
    func refusal(of connection: String, _ keeper: FenceKeeper?) async throws -> String? {
        try await call("hc_identity_refused", [.text(connection), .json(whence(keeper))])
    }
}

/// Proves again and again, while a relay leads, that it leads the same database as before, and leaves a new fence each time.
struct Fence: Sendable {
    let leader: ProtocolSession
    let keeper: FenceKeeper?
    let log: EventLog

    /// - Throws: ``PostgresError`` with `isOtherDatabase`, or for a lost session.
    func advance() async throws {
        let value = UUID().uuidString.lowercased()
        var kept = keeper
        do {
            try keeper?.propose(value)
        } catch let error as RelayError {
            throw error
        } catch {
            kept = nil
        }
        if kept == nil {
            log.sync("FENCE NOT KEPT", level: .warning, [
                "reason": .string("nothing can be written to HC_STATE_DIRECTORY: an older state of the database, restored in its place, would not be noticed")
            ])
        }
        let at = try await leader.call("hc_fence_advance", .json(leader.session.whence(kept)), .text(value))
        // Not settled, both values stay known until the next one is: that is what they are kept for.
        try? kept?.settle(value, at: at)
    }

    func keepAdvancing(every interval: Duration) async throws {
        while true {
            try await Task.sleep(for: interval)
            do {
                try await advance()
            } catch let error as PostgresError where error.sqlState == "55P03" {
                continue   // the row of the connection was locked: next time
            }
        }
    }
}
