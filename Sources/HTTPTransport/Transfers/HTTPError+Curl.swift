internal import CLibCurl

extension HTTPError {
    static var outOfMemory: HTTPError {
        HTTPError(code: .other, requestWasWritten: false, detail: "out of memory or file descriptors")
    }

    /// An option was refused: nothing has been tried yet.
    init(refusing code: CURLcode) {
        self.init(code: .badRequest, requestWasWritten: false, detail: String(cString: curl_easy_strerror(code)))
    }

    /// The end of a transfer that curl gave up.
    ///
    /// - Parameter text: curl's own words, kept only where they speak of the connection: elsewhere they may quote the answer.
    init(ending code: CURLcode, requestWasWritten: Bool, text: String?, server: String?) {
        // After a request was written, curl says this of an answer that does not begin as HTTP does.
        let kind = code == CURLE_UNSUPPORTED_PROTOCOL && requestWasWritten ? .badResponse : Code(code)
        let speaksOfConnection = [Code.couldNotResolve, .couldNotConnect, .tls, .timedOut].contains(kind)
        self.init(
            code: kind,
            requestWasWritten: requestWasWritten,
            server: server,
            detail: speaksOfConnection ? text : String(cString: curl_easy_strerror(code))
        )
    }
}

extension HTTPError.Code {
    fileprivate init(_ code: CURLcode) {
        self = switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .badURL
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .couldNotResolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: .couldNotConnect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CIPHER, CURLE_SSL_CRL_BADFILE:
            .tls
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        // A write on a dead connection that had been used before, which curl would have sent again.
        case CURLE_ABORTED_BY_CALLBACK, CURLE_SEND_FAIL_REWIND: .connectionLost
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM:
            .connectionLost
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .badResponse
        default: .other
        }
    }
}
