internal import CLibCurl

/// curl calls these inside ``MultiHandle/perform()`` and ``EasyHandle/resume()``, so on the queue of the loop. The pointer is
/// not retained: the loop holds the transfer until it has removed the handle.
extension Transfer {
    func setCallbacks() throws(HTTPError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let raw = easy.raw
        try EasyHandle.check(clibcurl_setopt_read(raw, { bytes, size, count, context in
            Transfer.from(context).fill(bytes, capacity: size * count)
        }, context))
        try EasyHandle.check(clibcurl_setopt_write(raw, { bytes, size, count, context in
            Transfer.from(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }, context))
        try EasyHandle.check(clibcurl_setopt_header(raw, { bytes, size, count, context in
            Transfer.from(context).receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }, context))
        try EasyHandle.check(clibcurl_setopt_prerequest(raw, { context, _, _, _, _ in
            Transfer.from(context).begin()
        }, context))
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// A connection stands and the request is about to be written.
    ///
    /// When a reused connection dies without an answer, curl sends the request again on a new one. For a write that could
    /// do the same thing twice, so the second attempt is refused; the caller learns that the first is in doubt.
    private func begin() -> Int32 {
        attempts += 1
        lastMove = .now
        return attempts > 1 && request.method.isWrite ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK
    }

    private func fill(_ bytes: UnsafeMutablePointer<CChar>?, capacity: Int) -> Int {
        if upload != nil { return fillFromUpload(UnsafeMutableRawBufferPointer(start: bytes, count: capacity)) }
        // A repeated read begins again; curl asks for no rewind before the first byte.
        let count = min(capacity, requestBody.count - requestBodySent)
        guard let bytes, count > 0 else { return 0 }
        requestBody.withUnsafeBytes { body in
            UnsafeMutableRawPointer(bytes).copyMemory(from: body.baseAddress.unsafelyUnwrapped + requestBodySent, byteCount: count)
        }
        requestBodySent += count
        lastMove = .now
        return count
    }

    private func fillFromUpload(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard upload?.isEmpty == false else {
            if upload?.isComplete == true { return 0 }
            upload?.isStarved = true
            return Int(CURL_READFUNC_PAUSE)
        }
        lastMove = .now
        return upload?.move(into: target) ?? 0
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastMove = .now
        switch sink {
        case .whole(let limit):
            if received.count + bytes.count > limit {
                exceededLimit = true
                return 0
            }
        case .pieces(let limit):
            if received.count >= limit {
                isPaused = true
                return Int(CURL_WRITEFUNC_PAUSE)
            }
        }
        received.append(contentsOf: bytes)
        return bytes.count
    }

    /// One line of a header block. An interim answer (1xx) is followed by another block; lines after the body are trailers.
    private func receiveHeader(_ bytes: UnsafeRawBufferPointer) {
        lastMove = .now
        guard head == nil else { return }
        let line = String(decoding: bytes, as: UTF8.self).trimmingLineEnd()
        if line.hasPrefix("HTTP/") {
            status = line.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
            headerFields = []
        } else if line.isEmpty {
            if status >= 200 { head = HTTPResponseHead(status: status, headers: HTTPHeaders(headerFields)) }
        } else if let colon = line.firstIndex(of: ":") {
            headerFields.append(HTTPHeader(String(line[..<colon]), line[line.index(after: colon)...].trimmingSpaces()))
        }
    }
}

extension String {
    /// CR LF is one `Character`, so the end is found among the scalars.
    fileprivate func trimmingLineEnd() -> String {
        var scalars = Substring(self).unicodeScalars
        while let last = scalars.last, last == "\n" || last == "\r" { scalars.removeLast() }
        return String(scalars)
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = drop(while: blank)
        while let last = text.last, blank(last) { text.removeLast() }
        return String(text)
    }
}
