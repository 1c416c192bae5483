import Foundation
import HTTPTransport
import TestSupport
import Testing

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    /// `openssl s_server` with a certificate of its own for 127.0.0.1, running while `body` does.
    private func withServer(
        _ options: [String], _ body: (_ url: String, _ certificate: String, _ output: URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificate = folder.appendingPathComponent("certificate.pem").path
        let key = folder.appendingPathComponent("key.pem").path
        try await Command.run("openssl", [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hc-sync test",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ])
        let output = folder.appendingPathComponent("output")
        try Data().write(to: output)
        let port = try FreePort.find()
        // It ends a connection when its standard input ends, so that is a pipe without an end.
        let pipe = folder.appendingPathComponent("pipe").path
        try await Command.run("mkfifo", [pipe])
        let server = try ChildProcess(
            "sh",
            ["-c", "exec \"$@\" 0<>\"$0\"", pipe, "openssl", "s_server", "-accept", "127.0.0.1:\(port)"]
                + ["-cert", certificate, "-key", key] + options,
            outputFile: output.path)
        defer { server.terminate() }
        for _ in 0..<100 where try !String(contentsOf: output, encoding: .utf8).contains("ACCEPT") {
            try await Task.sleep(for: .milliseconds(50))
        }
        try await body("https://127.0.0.1:\(port)/", certificate, output)
    }

    @Test("an unknown certificate is refused with nothing written, a trusted one accepted")
    func verification() async throws {
        try await withServer(["-www"]) { url, certificate, _ async throws in
            let request = HTTPRequest(method: .post, url: url, body: .text("x"))
            let error = await httpError { _ = try await makeClient().send(request) }
            #expect(error?.code == .tls)
            #expect(error?.requestWasWritten == false)
            #expect(error?.detail?.contains("self-signed certificate") == true)
            let trusted = try await makeClient(trust: .file(certificate)).send(HTTPRequest(url: url))
            #expect(trusted.status == 200)
            let otherName = url.replacing("127.0.0.1", with: "localhost")
            let wrongName = await httpError { _ = try await makeClient(trust: .file(certificate)).send(HTTPRequest(url: otherName)) }
            #expect(wrongName?.code == .tls)
            #expect(try await makeClient(trust: .anything).send(HTTPRequest(url: otherName)).status == 200)
        }
    }

    @Test("HTTP/2 is spoken where the server offers it")
    func http2() async throws {
        try await withServer(["-alpn", "h2"]) { url, certificate, output async throws in
            let request = HTTPRequest(url: url, timeouts: HTTPTimeouts(total: .seconds(1)))
            _ = await httpError { _ = try await makeClient(trust: .file(certificate)).send(request) }
            // The preface of RFC 9113, section 3.4.
            #expect(try String(decoding: Data(contentsOf: output), as: UTF8.self).contains("PRI * HTTP/2.0"))
        }
    }
}
