internal import CLibCurl

/// Owns a curl multi handle and with it the connections that requests reuse, and the cookies where they are kept.
struct MultiHandle: ~Copyable {
    private let raw: UnsafeMutableRawPointer
    /// The share of cookies; nil when cookies are off.
    let cookies: UnsafeMutableRawPointer?

    /// - Returns: nil when out of memory.
    init?(maximumConnectionsPerHost: Int, cookies keepsCookies: Bool) {
        guard Self.library == CURLE_OK, let raw = curl_multi_init() else { return nil }
        self.raw = raw
        self.cookies = keepsCookies ? clibcurl_share_of_cookies() : nil
        _ = clibcurl_multi_setopt_long(raw, CURLMOPT_MAX_HOST_CONNECTIONS, maximumConnectionsPerHost)
        // Without it the cache grows with four times the requests under way and shrinks with none.
        _ = clibcurl_multi_setopt_long(raw, CURLMOPT_MAXCONNECTS, 16)
    }

    deinit {
        curl_multi_cleanup(raw)
        if let cookies { curl_share_cleanup(cookies) }
    }

    private static let library: CURLcode = clibcurl_global_init()

    /// Starts a transfer; `easy` must stay alive until ``remove(_:)``.
    func add(_ easy: borrowing EasyHandle) -> Bool {
        curl_multi_add_handle(raw, easy.raw) == CURLM_OK
    }

    /// Ends a transfer. The connection of an unfinished one is closed, or its HTTP/2 stream reset.
    func remove(_ easy: borrowing EasyHandle) {
        curl_multi_remove_handle(raw, easy.raw)
    }

    /// Moves what can be moved without waiting; calls the callbacks of the transfers.
    func perform() {
        var running: Int32 = 0
        curl_multi_perform(raw, &running)
    }

    /// The next transfer that curl is done with.
    func nextFinished() -> (easy: UnsafeMutableRawPointer, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(raw, &left) {
            if message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle {
                return (easy, message.pointee.data.result)
            }
        }
        return nil
    }

    /// Blocks until a socket is ready, a timer of curl is due, `descriptor` is readable or `milliseconds` have passed.
    func poll(alsoWatching descriptor: Int32, milliseconds: Int32) {
        var extra = curl_waitfd(fd: descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        curl_multi_poll(raw, &extra, 1, milliseconds, nil)
    }
}
