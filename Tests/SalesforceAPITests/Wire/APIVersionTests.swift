import SalesforceAPI
import Testing

@Suite("API versions")
struct APIVersionTests {
    @Test(
        "each feature begins, and ends, with its version",
        arguments: [
            (APIFeature.bulk2Query, "46.0", "47.0"), (.bulk2ResultPages, "57.0", "58.0"), (.bulk2Ingest, "40.0", "41.0"),
            (.bulk1QueryAll, "38.0", "39.0"), (.upsertReplyHasBody, "45.0", "46.0"), (.soapLogin, "65.0", "64.0"),
        ] as [(APIFeature, String, String)])
    func boundary(feature: APIFeature, without: String, with: String) throws {
        #expect(try #require(APIVersion(without)).supports(feature) == false)
        #expect(try #require(APIVersion(with)).supports(feature))
    }

    @Test("queries go by Bulk 1.0 below 47.0", arguments: [("40.0", BulkQueryKind.bulk1), ("46.0", .bulk1), ("47.0", .bulk2), ("62.0", .bulk2)])
    func bulkQuery(version: String, kind: BulkQueryKind) throws {
        #expect(try #require(APIVersion(version)).bulkQuery == kind)
    }

    @Test("versions compare as numbers")
    func order() throws {
        let (nine, ten) = (try #require(APIVersion("9.0")), try #require(APIVersion("10.0")))
        #expect(nine < ten)
        #expect(APIVersion("v62.0") == APIVersion(62))
        #expect(APIVersion(62).description == "62.0")
    }

    @Test("anything else is no version", arguments: ["", "62.", ".0", "sixty", "62.0.1", "-1.0", "0.0"])
    func refuses(text: String) {
        #expect(APIVersion(text) == nil)
    }
}
