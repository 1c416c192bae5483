internal import CLibCurl

extension EasyHandle {
    /// What is known of a body before it is sent.
    enum BodyPlan {
        /// Its size as it is sent, after compression.
        case bytes(Int, compressed: Bool)
        /// It comes piece by piece; nobody knows how much.
        case streamed
    }

    /// Sets everything about the request except its callbacks.
    mutating func prepare(_ request: HTTPRequest, body: BodyPlan, for configuration: HTTPClientConfiguration) throws(HTTPError) {
        try set(CURLOPT_NOSIGNAL, true)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_URL, request.url)
        try setMethod(request.method, body)
        try setHeaders(headerLines(of: request, body))
        try set(CURLOPT_USERAGENT, configuration.userAgent)
        try set(CURLOPT_ACCEPT_ENCODING, "gzip")
        try set(CURLOPT_FOLLOWLOCATION, false)
        try setTimeouts(request.timeouts)
        try setConnection(configuration)
    }

    private func setMethod(_ method: HTTPMethod, _ body: BodyPlan) throws(HTTPError) {
        switch (method, body) {
        case (.head, _):
            try set(CURLOPT_NOBODY, true)
        case (.get, .bytes(0, _)):
            try set(CURLOPT_HTTPGET, true)
        case (.delete, .bytes(0, _)):
            try set(CURLOPT_HTTPGET, true)
            try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
        case (_, .bytes(let count, _)):
            try setBody(method, size: count)
        case (_, .streamed):
            try setBody(method, size: -1)
        }
    }

    private func setBody(_ method: HTTPMethod, size: Int) throws(HTTPError) {
        try set(CURLOPT_POST, true)
        try set(CURLOPT_POSTFIELDSIZE_LARGE, offset: size)
        if method != .post { try set(CURLOPT_CUSTOMREQUEST, method.rawValue) }
    }

    private func headerLines(of request: HTTPRequest, _ body: BodyPlan) -> [String] {
        // curl leaves a header out when the line ends with its colon, and sends it empty when it ends with a semicolon.
        // Without Expect, a large body waits for no interim answer; without Content-Type, curl invents none.
        var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        if !request.headers.contains(where: { $0.name.equalsIgnoringASCIICase("Content-Type") }) { lines.append("Content-Type:") }
        lines.append("Expect:")
        switch body {
        case .bytes(_, compressed: true): lines.append("Content-Encoding: gzip")
        case .bytes: break
        // HTTP/1.1 frames a body of unknown size in chunks; in HTTP/2 curl leaves the header out.
        case .streamed: lines.append("Transfer-Encoding: chunked")
        }
        return lines
    }

    private func setTimeouts(_ timeouts: HTTPTimeouts) throws(HTTPError) {
        // Zero would mean curl's own default of 300 s for the first, and no limit for the second.
        try set(CURLOPT_CONNECTTIMEOUT_MS, max(1, timeouts.connect.wholeMilliseconds))
        if let total = timeouts.total { try set(CURLOPT_TIMEOUT_MS, max(1, total.wholeMilliseconds)) }
    }

    private func setConnection(_ configuration: HTTPClientConfiguration) throws(HTTPError) {
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_MAXAGE_CONN, max(1, Int(configuration.idleConnectionLifetime.components.seconds)))
        // A call may work for ten minutes without a byte; routers forget silent connections much earlier.
        try set(CURLOPT_TCP_KEEPALIVE, true)
        try set(CURLOPT_TCP_KEEPIDLE, 30)
        try set(CURLOPT_TCP_KEEPINTVL, 10)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        switch configuration.proxy {
        case .environment: break
        case .none: try set(CURLOPT_PROXY, "")
        case .url(let url): try set(CURLOPT_PROXY, url)
        }
        switch configuration.trust {
        case .system: break
        case .file(let path): try set(CURLOPT_CAINFO, path)
        case .anything:
            try set(CURLOPT_SSL_VERIFYPEER, false)
            try set(CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    /// Keeps cookies in `share`, and sends those kept there.
    func keepCookies(in share: UnsafeMutableRawPointer) throws(HTTPError) {
        try set(CURLOPT_SHARE, pointer: share)
        try set(CURLOPT_COOKIEFILE, "")
    }
}

extension Duration {
    /// Rounded down; beyond what fits it is the largest that fits.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) else { return Int(Int32.max) * 1000 }
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
