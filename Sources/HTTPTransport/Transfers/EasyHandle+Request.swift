internal import CLibCurl

extension EasyHandle {
    /// Sets everything about the request except its callbacks.
    ///
    /// - Parameter bodyBytes: the size of the body as it is sent, after compression.
    mutating func prepare(
        _ request: HTTPRequest, bodyBytes: Int, compressed: Bool, for configuration: HTTPClientConfiguration
    ) throws(HTTPError) {
        try set(CURLOPT_NOSIGNAL, true)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_URL, request.url)
        try setMethod(request.method, bodyBytes: bodyBytes)
        try setHeaders(headerLines(of: request, compressed: compressed))
        try set(CURLOPT_USERAGENT, configuration.userAgent)
        try set(CURLOPT_ACCEPT_ENCODING, "gzip")
        try set(CURLOPT_FOLLOWLOCATION, false)
        try setTimeouts(request.timeouts)
        try setConnection(configuration)
    }

    private func setMethod(_ method: HTTPMethod, bodyBytes: Int) throws(HTTPError) {
        switch method {
        case .head:
            try set(CURLOPT_NOBODY, true)
        case .get where bodyBytes == 0:
            try set(CURLOPT_HTTPGET, true)
        case .delete where bodyBytes == 0:
            try set(CURLOPT_HTTPGET, true)
            try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
        case .get, .post, .put, .patch, .delete:
            try set(CURLOPT_POST, true)
            try set(CURLOPT_POSTFIELDSIZE_LARGE, offset: bodyBytes)
            if method != .post { try set(CURLOPT_CUSTOMREQUEST, method.rawValue) }
        }
    }

    private func headerLines(of request: HTTPRequest, compressed: Bool) -> [String] {
        // curl leaves a header out when the line ends with its colon, and sends it empty when it ends with a semicolon.
        // Without Expect, a large body waits for no interim answer; without Content-Type, curl invents none.
        var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        if !request.headers.contains(where: { $0.name.equalsIgnoringASCIICase("Content-Type") }) { lines.append("Content-Type:") }
        lines.append("Expect:")
        if compressed { lines.append("Content-Encoding: gzip") }
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
