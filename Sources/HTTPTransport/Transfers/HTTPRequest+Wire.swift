internal import CLibCurl

extension HTTPRequest {
    /// Refuses what would break the frame of the request, or let a value add headers of its own.
    func checkWireSafety() throws(HTTPError) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw HTTPError(code: .badURL, requestWasWritten: false, server: server)
        }
        for header in headers {
            // Name: the token characters of RFC 9110, section 5.6.2.
            let nameIsToken = !header.name.isEmpty && header.name.utf8.allSatisfy(\.isHeaderNameByte)
            let valueIsLine = header.value.utf8.allSatisfy { $0 != 0x0D && $0 != 0x0A && $0 != 0 }
            guard nameIsToken, valueIsLine else {
                throw HTTPError(code: .badRequest, requestWasWritten: false, server: server, detail: "a header is not one line")
            }
        }
    }

    /// The body as it is sent, and whether that is compressed.
    func encodedBody() throws(HTTPError) -> (bytes: [UInt8], compressed: Bool) {
        guard case .bytes(let bytes) = body, !bytes.isEmpty else { return ([], false) }
        guard compressBody else { return (bytes, false) }
        let capacity = clibcurl_gzip_bound(bytes.count)
        let compressed = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            count = clibcurl_gzip(bytes, bytes.count, buffer.baseAddress, capacity)
        }
        guard !compressed.isEmpty else { throw .outOfMemory }
        return (compressed, true)
    }

    /// `host:port` as written in the URL, without user information.
    var server: String? {
        guard let scheme = url.range(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        return host.isEmpty ? nil : host
    }
}

extension UInt8 {
    fileprivate var isHeaderNameByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}

extension String {
    fileprivate func range(of separator: String) -> Range<Index>? {
        ranges(of: separator).first
    }
}
