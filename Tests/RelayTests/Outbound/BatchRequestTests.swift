import Foundation
import SalesforceAPI
import Testing

@testable import Relay

@Suite("claimed batch")
struct BatchRequestTests {
    @Test("is read as the database writes it")
    func claim() throws {
        let json = """
            {"batch":12,"mapping":"m","operation":"upsert","object":"Contact","external_id_field":"X__c","attempt":1,
             "records":[{"log_id":9,"record_id":7,"id":null,"fields":{"Name":"x","X__c":"1"},"nulls":["Phone"],
                         "parents":[{"relationship":"Account","object":"Account","field":"E__c","value":"a-9"}]}]}
            """
        let batch = try JSONDecoder().decode(BatchRequest.self, from: Data(json.utf8))
        #expect(batch.batch == 12 && batch.externalIDField == "X__c" && batch.verb == "UPSERT")
        #expect(batch.writeRecords == [
            WriteRecord(
                objectType: "Contact", fields: [WriteField("Name", "x"), WriteField("X__c", "1")], nulls: ["Phone"],
                parents: [ParentReference(relationshipName: "Account", parentType: "Account", externalIDField: "E__c", value: "a-9")])
        ])
    }

    @Test("a delete has ids only")
    func delete() throws {
        let json = #"{"batch":1,"mapping":"m","operation":"delete","object":"A","external_id_field":null,"attempt":2,"records":[{"log_id":1,"id":"001"}]}"#
        let batch = try JSONDecoder().decode(BatchRequest.self, from: Data(json.utf8))
        #expect(batch.operation == .delete && batch.records.map(\.id) == ["001"])
    }

    @Test("pages of records are joined without reading them")
    func joined() {
        var array = RecordArray()
        #expect(String(decoding: array.bytes, as: UTF8.self) == "[]")
        array.append(Array(#"[{"a":[1]},{"b":2}]"#.utf8), count: 2)
        array.append(Array("[]".utf8), count: 0)
        array.append(Array(#" [ {"c":3}]"#.utf8), count: 1)
        #expect(String(decoding: array.bytes, as: UTF8.self) == #"[{"a":[1]},{"b":2}, {"c":3}]"#)
        #expect(array.count == 3)
    }
}
