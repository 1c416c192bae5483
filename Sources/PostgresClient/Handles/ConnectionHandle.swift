internal import CLibPQ
internal import HandleQueue
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Owns one PGconn. Its methods block the thread they are called on, and heed an ``Interrupt`` while they do.
struct ConnectionHandle: ~Copyable {
    let raw: OpaquePointer

    /// Connects, trying every host of the string in turn, each within the connect timeout.
    init(keywords: [(name: String, value: String)], conninfo: String) throws(PostgresError) {
        let passwords = try Self.passwords(in: conninfo)
        let names = keywords.map { strdup($0.name) }
        let values = keywords.map { strdup($0.value) }
        defer { (names + values).forEach { free($0) } }
        let raw = PQconnectdbParams(
            names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
        guard let raw else { throw PostgresError(code: .couldNotConnect, serverMessage: "out of memory") }
        guard PQstatus(raw) == CONNECTION_OK else {
            var message = String(cString: PQerrorMessage(raw)).trimmingLineEnds()
            for password in passwords where !password.isEmpty { message = message.replacing(password, with: "***") }
            PQfinish(raw)
            throw PostgresError(code: .couldNotConnect, serverMessage: message)
        }
        self.raw = raw
        PQsetnonblocking(raw, 1)
        // Notices would go to standard error, and may hold values of rows.
        PQsetNoticeReceiver(raw, { _, _ in }, nil)
    }

    deinit {
        PQfinish(raw)
    }

    /// The library's message about a malformed string quotes it, password and all, so it is not passed on.
    private static func passwords(in conninfo: String) throws(PostgresError) -> [String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(conninfo, &message) else {
            PQfreemem(message)
            throw PostgresError(
                code: .badConnectionString,
                hint: "Use postgresql://user@host:port/database or keyword=value pairs.")
        }
        defer { PQconninfoFree(options) }
        var found: [String] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if String(cString: keyword).hasSuffix("password"), let value = option.pointee.val { found.append(String(cString: value)) }
            option += 1
        }
        return found
    }

    var processID: Int32 { PQbackendPID(raw) }
    var serverVersion: Int { Int(PQserverVersion(raw)) }
    var isBroken: Bool { PQstatus(raw) != CONNECTION_OK }
    var socket: Int32 { PQsocket(raw) }
    var isRunningStatement: Bool { PQtransactionStatus(raw) == PQTRANS_ACTIVE }
    var isInTransaction: Bool { [PQTRANS_INTRANS, PQTRANS_INERROR].contains(PQtransactionStatus(raw)) }

    var address: ServerAddress {
        ServerAddress(host: PQhost(raw).map { String(cString: $0) } ?? "", port: PQport(raw).map { String(cString: $0) } ?? "")
    }

    /// Of the string, the environment and the library's own defaults, and the one that was taken.
    var listedAddresses: [ServerAddress] {
        guard let options = PQconninfo(raw) else { return [address] }
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            found[String(cString: keyword)] = option.pointee.val.map { String(cString: $0) }
            option += 1
        }
        let listed = ServerAddress.list(hosts: found["host"] ?? "", addresses: found["hostaddr"] ?? "", ports: found["port"] ?? "")
        return listed.contains(address) ? listed : listed + [address]
    }

    /// The value that the server reports for a setting such as `server_version` or `is_superuser`.
    func parameterStatus(_ name: String) -> String? {
        PQparameterStatus(raw, name).map { String(cString: $0) }
    }

    /// `identifier` in double quotes, safe to put into SQL.
    func quoteIdentifier(_ identifier: String) throws(PostgresError) -> String {
        let quoted = identifier.utf8.contains(0) ? nil : PQescapeIdentifier(raw, identifier, identifier.utf8.count)
        guard let quoted else {
            throw PostgresError(code: .invalidParameter, serverMessage: "the identifier contains a NUL byte")
        }
        defer { PQfreemem(quoted) }
        return String(cString: quoted)
    }

    /// Reads all that has arrived, and takes out the channels of the notifications among it.
    ///
    /// A dispatch source speaks of a hang-up once, so a last message and the end behind it must be read in one go: the
    /// library alone reads no further than the message.
    func takeNotifications() throws(PostgresError) -> [String] {
        repeat {
            guard PQconsumeInput(raw) == 1 else { throw lost() }
        } while isReadableNow
        var channels: [String] = []
        while let notification = PQnotifies(raw) {
            channels.append(String(cString: notification.pointee.relname))
            PQfreemem(notification)
        }
        return channels
    }

    private var isReadableNow: Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    func lost() -> PostgresError {
        PostgresError(code: .connectionLost, serverMessage: String(cString: PQerrorMessage(raw)).trimmingLineEnds())
    }
}
