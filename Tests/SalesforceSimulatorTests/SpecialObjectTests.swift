import Foundation
import Testing

@Suite("Binary content, big objects, events, limits")
struct SpecialObjectTests {
    @Test("base64 is written as text, read as a path, and fetched as bytes")
    func attachment() async throws {
        try await withOrg { client in
            let parent = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            let bytes = Data([0, 1, 2, 255, 10, 13, 200])
            let id = try await AutomationTests.create(client, "Attachment", #"{"Name": "a.bin", "ParentId": "\#(parent)", "ContentType": "image/png", "Body": "\#(bytes.base64EncodedString())"}"#)
            let path = "/services/data/v62.0/sobjects/Attachment/\(id)/Body"
            let record = try await client.rest("GET", "sobjects/Attachment/\(id)").object
            #expect(record["Body"] as? String == path)
            #expect(record["BodyLength"] as? Int == 7)
            let content = try await client.send("GET", path)
            #expect(content.status == 200)
            #expect(content.body == bytes)
            #expect(content.headers["content-type"] == "image/png")
            let soap = try await client.soap("<u:query><u:queryString>SELECT Body FROM Attachment WHERE Id = '\(id)'</u:queryString></u:query>")
            #expect(soap.text.contains("<sf:Body>\(bytes.base64EncodedString())</sf:Body>"))
            let broken = try await client.rest("POST", "sobjects/Attachment", #"{"Name": "a", "ParentId": "\#(parent)", "Body": "%"}"#)
            #expect(broken.errorCode == "INVALID_TYPE_ON_FIELD_IN_RECORD")
        }
    }

    @Test("an address is read as one object of its parts, and is null when they are")
    func compound() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x", "BillingCity": "Lyon", "BillingCountry": "France"}"#)
            let record = try await client.rest("GET", "sobjects/Account/\(id)?fields=BillingAddress,ShippingAddress").object
            let address = record["BillingAddress"] as? [String: Any] ?? [:]
            #expect(address["city"] as? String == "Lyon")
            #expect(Set(address.keys) == ["city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street"])
            #expect(record["ShippingAddress"] is NSNull)
            let refused = try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"BillingAddress": {"city": "x"}}"#)
            #expect(refused.errorCode == "INVALID_FIELD_FOR_INSERT_UPDATE")
        }
    }

    @Test("a big object and a platform event are described and cannot be synced; an event can be published")
    func bigObjectAndEvent() async throws {
        try await withOrg { client in
            #expect(try await client.rest("GET", "sobjects/Archive__b/describe").object["replicateable"] as? Bool == false)
            let event = try await client.rest("GET", "sobjects/Ping__e/describe").object
            #expect(event["queryable"] as? Bool == false)
            #expect(event["createable"] as? Bool == true)
            #expect(try await client.query("SELECT Id FROM Ping__e").errorCode == "INVALID_TYPE_FOR_OPERATION")
            let published = try await client.rest("POST", "sobjects/Ping__e", #"{"Message__c": "hello"}"#)
            #expect(published.status == 201)
            #expect((published.object["id"] as? String)?.hasPrefix("e00") == true)
            let id = published.object["id"] as? String ?? ""
            #expect(try await client.rest("PATCH", "sobjects/Ping__e/\(id)", #"{"Message__c": "x"}"#).status == 400)
        }
    }

    @Test("limits have the names a sync tool reads; a used one counts down, and calls lag when told to")
    func limits() async throws {
        try await withOrg { client in
            func remaining(_ name: String) async throws -> Int? {
                ((try await client.rest("GET", "limits").object)[name] as? [String: Any])?["Remaining"] as? Int
            }
            for name in ["DailyApiRequests", "DailyBulkApiBatches", "DailyBulkV2QueryJobs", "DailyBulkV2QueryFileStorageMB", "DailyStreamingApiEvents", "DataStorageMB", "FileStorageMB", "HourlyPublishedPlatformEvents", "MonthlyPlatformEventsUsageEntitlement"] {
                #expect(try await remaining(name) != nil, "\(name)")
            }
            _ = try await client.control("PATCH", "settings", #"{"usedLimits": {"DailyBulkV2QueryJobs": 9999}, "limitsLagSeconds": 300}"#)
            #expect(try await remaining("DailyBulkV2QueryJobs") == 1)
            let shown = try await remaining("DailyApiRequests")
            #expect(try await remaining("DailyApiRequests") == shown, "the value lags")
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 301}"#)
            let later = try #require(try await remaining("DailyApiRequests"))
            #expect(later < (shown ?? 0))
        }
    }

    @Test("a full org refuses new records and takes changes of old ones")
    func storage() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            _ = try await client.control("PATCH", "settings", #"{"usedLimits": {"DataStorageMB": 10240}}"#)
            #expect(try await client.rest("POST", "sobjects/Account", #"{"Name": "y"}"#).errorCode == "STORAGE_LIMIT_EXCEEDED")
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Name": "z"}"#).status == 204)
        }
    }
}
