internal import CLibCurl

/// Owns a curl easy handle, its header list and its error text: one request.
struct EasyHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// - Returns: nil when out of memory.
    init?() {
        guard let raw = curl_easy_init() else { return nil }
        self.raw = raw
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        headers = nil
        _ = clibcurl_setopt_pointer(raw, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        curl_easy_cleanup(raw)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    /// What curl says about the last failure; nil when it says nothing.
    var lastErrorText: String? {
        let text = String(cString: errorText)
        return text.isEmpty ? nil : text
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try Self.check(clibcurl_setopt_long(raw, option, value))
    }

    func set(_ option: CURLoption, _ value: Bool) throws(HTTPError) {
        try set(option, value ? 1 : 0)
    }

    func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try Self.check(clibcurl_setopt_string(raw, option, value))
    }

    func set(_ option: CURLoption, offset: Int) throws(HTTPError) {
        try Self.check(clibcurl_setopt_offset(raw, option, curl_off_t(offset)))
    }

    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) throws(HTTPError) {
        try Self.check(clibcurl_setopt_pointer(raw, option, pointer))
    }

    /// Lines as they go on the wire; curl keeps the list, so it lives as long as the handle.
    mutating func setHeaders(_ lines: [String]) throws(HTTPError) {
        for line in lines {
            guard let extended = curl_slist_append(headers, line) else { throw .outOfMemory }
            headers = extended
        }
        try Self.check(clibcurl_setopt_list(raw, CURLOPT_HTTPHEADER, headers))
    }

    /// Lets a paused transfer go on. May call the write callback before it returns.
    func resume() {
        curl_easy_pause(raw, CURLPAUSE_CONT)
    }

    static func check(_ code: CURLcode) throws(HTTPError) {
        if code != CURLE_OK { throw HTTPError(refusing: code) }
    }
}
