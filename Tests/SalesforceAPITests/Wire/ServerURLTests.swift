import Foundation
import Testing

@testable import SalesforceAPI

@Suite("addresses and dates")
struct ServerURLTests {
    @Test(
        "https anywhere, http on this machine only",
        arguments: [
            ("https://login.salesforce.com", "https://login.salesforce.com"), ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000"), ("http://localhost/", "http://localhost"), ("http://[::1]:80", "http://[::1]:80"),
            ("http://login.salesforce.com", nil), ("http://127.0.0.1.evil.example", nil), ("http://127.0.0.1@evil.example", nil),
            ("https://user:word@host", nil), ("https://host/path", nil), ("ftp://host", nil), ("", nil), ("https://", nil),
            ("https://a b", nil), ("https://a\nb", nil),
        ] as [(String, String?)])
    func accepts(text: String, expected: String?) {
        #expect(ServerURL(text)?.text == expected)
    }

    @Test(
        "HTTP dates are read",
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"), ("Thu, 29 Feb 2024 23:59:58 GMT", "2024-02-29T23:59:58.000Z"),
            ("Sun, 31 Dec 2023 12:00:00 GMT", "2023-12-31T12:00:00.000Z"), ("Fri, 01 Mar 2024 00:00:00 GMT", "2024-03-01T00:00:00.000Z"),
        ])
    func dates(text: String, expected: String) throws {
        #expect(HTTPDate.timestamp(try #require(HTTPDate.parse(text))) == expected)
    }

    @Test("one known moment has its known count of seconds")
    func epoch() throws {
        #expect(try #require(HTTPDate.parse("Mon, 01 Jan 2024 00:00:00 GMT")).timeIntervalSince1970 == 1_704_067_200)
        #expect(HTTPDate.parse("2024-01-01") == nil)
    }

    @Test("a plus sign and a colon survive in a query string")
    func escapes() {
        #expect(PercentEncoding.encode("2024-01-01T00:00:00+00:00") == "2024-01-01T00%3A00%3A00%2B00%3A00")
        #expect(PercentEncoding.encode("a/b c~é") == "a%2Fb%20c~%C3%A9")
        #expect(PercentEncoding.decode("a%2Fb%20%C3%A9") == "a/b é")
        #expect(PercentEncoding.decode("a%2") == nil)
    }

    @Test(
        "API usage is read from the header, long or short",
        arguments: [
            ("api-usage=18/5000", APIUsage(used: 18, maximum: 5000)),
            ("api-usage=25/5000; per-app-api-usage=17/250(appName=my-app)", APIUsage(used: 25, maximum: 5000)),
            ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", APIUsage(used: 25, maximum: 5000)),
            ("per-app-api-usage=17/250(appName=my-app)", nil), ("api-usage=x", nil), ("", nil),
        ] as [(String, APIUsage?)])
    func usage(header: String, expected: APIUsage?) {
        #expect(APIUsage(header: header) == expected)
    }
}
