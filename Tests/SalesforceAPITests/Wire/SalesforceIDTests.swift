import SalesforceAPI
import Testing

@Suite("Salesforce ids")
struct SalesforceIDTests {
    @Test(
        "15 characters become the 18 that the reference computes",
        arguments: [
            ("001xx000003DGb2", "001xx000003DGb2AAG"), ("00Dxx0000001gPL", "00Dxx0000001gPLEAY"),
            ("005xx000001Sv6A", "005xx000001Sv6AAAS"), ("a00D0000008pQRA", "a00D0000008pQRAIA2"),
            ("0015f00001AbCdE", "0015f00001AbCdEAAV"), ("001xx000003DGb2AAG", "001xx000003DGb2AAG"),
        ])
    func normalizes(short: String, long: String) {
        #expect(SalesforceID.normalized(short) == long)
    }

    @Test("what is no id has no long form", arguments: ["", "001xx000003DGb", "001xx000003DGb2AA", "001xx000003DG-2", "001xx000003DGbé"])
    func refuses(text: String) {
        #expect(SalesforceID.normalized(text) == nil)
    }

    @Test("organization and user come from the identity URL, in either length")
    func identity() throws {
        let long = try #require(SalesforceID.identity(url: "https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001Sv6AAAS"))
        let short = try #require(SalesforceID.identity(url: "http://127.0.0.1:4000/id/00Dxx0000001gPL/005xx000001Sv6A"))
        #expect(long.organizationID == "00Dxx0000001gPLEAY" && long.userID == "005xx000001Sv6AAAS")
        #expect(short == long)
        #expect(SalesforceID.identity(url: "https://login.salesforce.com/services/00Dxx0000001gPL/005xx000001Sv6A") == nil)
    }
}
