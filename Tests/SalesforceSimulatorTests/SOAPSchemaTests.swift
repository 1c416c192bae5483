import Foundation
@testable import SalesforceSimulator
import Testing

/// Compares answers with ``PartnerSchema``: which elements, in which order, how many, of which type.
enum SchemaCheck {
    static func faults(of answer: Answer, _ operation: String) throws -> [String] {
        let root = try XMLTreeBuilder.parse(answer.body)
        guard answer.status == 200, let response = root.first("Body")?.first(operation + "Response") else { return ["no answer: \(answer.text)"] }
        guard let result = PartnerSchema.operation(operation)?.result else { return response.children.map { "unknown \($0.name)" } }
        return sequence(response.children, [result], operation)
    }

    /// The elements of a type, in order.
    static func sequence(_ children: [XMLElementNode], _ elements: [SchemaElement], _ path: String) -> [String] {
        var faults: [String] = []
        var rest = children[...]
        for element in elements {
            let found = rest.prefix { $0.name == element.name }
            rest = rest.dropFirst(found.count)
            if element.count == .one, found.isEmpty { faults.append("\(path): \(element.name) is missing") }
            if element.count != .any, found.count > 1 { faults.append("\(path): \(element.name) stands \(found.count) times") }
            for node in found { faults += value(node, element, path + "/" + element.name) }
        }
        return faults + rest.map { "\(path): \($0.name) has no place here" }
    }

    private static func value(_ node: XMLElementNode, _ element: SchemaElement, _ path: String) -> [String] {
        if node.isNil { return element.nillable ? [] : ["\(path) is nil"] }
        switch element.type {
        case "sf:sObject": return record(node, path)
        case "boolean": return ["true", "false"].contains(node.text) ? [] : ["\(path): \(node.text)"]
        case "int": return Int(node.text) == nil ? ["\(path): \(node.text)"] : []
        case "ID": return RecordIdentifier.normalized(node.text) == nil ? ["\(path): \(node.text)"] : []
        case "dateTime": return node.text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) == nil ? ["\(path): \(node.text)"] : []
        case "fieldType": return PartnerSchema.simpleTypes.first { $0.name == "fieldType" }?.values.contains(node.text) == true ? [] : ["\(path): \(node.text)"]
        default:
            guard PartnerSchema.type(element.type) != nil else { return node.children.isEmpty ? [] : ["\(path) has children"] }
            return sequence(node.children, PartnerSchema.elements(of: element.type), path)
        }
    }

    /// The type, the id once or nil, then fields, of which the id may be one.
    private static func record(_ node: XMLElementNode, _ path: String) -> [String] {
        guard node.children.count >= 2, node.children[0].name == "type", !node.children[0].text.isEmpty, node.children[1].name == "Id" else {
            return ["\(path): no type and id"]
        }
        return node.children.dropFirst(2).flatMap { field -> [String] in
            let path = path + "/" + field.name
            switch field.attributes["xsi:type"] {
            case "sf:sObject": return record(field, path)
            case "QueryResult": return sequence(field.children, PartnerSchema.elements(of: "QueryResult"), path)
            case let type? where PartnerSchema.type(type) != nil: return sequence(field.children, PartnerSchema.elements(of: type), path)
            default: return field.children.isEmpty ? [] : ["\(path) has children"]
            }
        }
    }
}

@Suite("SOAP answers and the partner schema")
struct SOAPSchemaTests {
    private static let account = "<u:sObjects><s:type>Account</s:type><s:Name>schema</s:Name><s:ExternalId__c>s-1</s:ExternalId__c></u:sObjects>"
    private static let spans = "<u:sObjectType>Account</u:sObjectType><u:startDate>%s</u:startDate><u:endDate>%e</u:endDate>"

    @Test("elements in the order of the table, of every operation", arguments: [
        ("create", account + "<u:sObjects><s:type>Account</s:type></u:sObjects>"), ("upsert", "<u:externalIDFieldName>ExternalId__c</u:externalIDFieldName>" + account + account),
        ("update", "<u:sObjects><s:type>Account</s:type><s:Name>no id</s:Name></u:sObjects>"),
        ("delete", "<u:ids>001xx000003DGb2AAG</u:ids>"), ("undelete", "<u:ids>001xx000003DGb2AAG</u:ids>"), ("emptyRecycleBin", "<u:ids>001xx000003DGb2AAG</u:ids>"),
        ("query", "<u:queryString>SELECT Id, Name, Owner.Name, Parent.Name, BillingAddress, (SELECT Id, LastName FROM Contacts) FROM Account LIMIT 3</u:queryString>"),
        ("query", "<u:queryString>SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry</u:queryString>"),
        ("query", "<u:queryString>SELECT FIELDS(ALL) FROM Everything__c LIMIT 5</u:queryString>"),
        ("queryAll", "<u:queryString>SELECT COUNT() FROM Account</u:queryString>"),
        ("retrieve", "<u:fieldList>Id,Name</u:fieldList><u:sObjectType>Account</u:sObjectType><u:ids>001xx000003DGb2AAG</u:ids><u:ids>001xx0000000001AAA</u:ids>"),
        ("getUpdated", spans), ("getDeleted", spans), ("describeGlobal", ""), ("describeSObject", "<u:sObjectType>Everything__c</u:sObjectType>"),
        ("describeSObjects", "<u:sObjectType>Account</u:sObjectType><u:sObjectType>Archive__b</u:sObjectType><u:sObjectType>Ping__e</u:sObjectType>"),
        ("getServerTimestamp", ""), ("getUserInfo", ""), ("invalidateSessions", "<u:sessionIds>unknown</u:sessionIds>"), ("logout", ""),
        ("login", "<u:username>integration@example.com</u:username><u:password>sample-password</u:password>"),
    ])
    func order(operation: String, parameters: String) async throws {
        try await withOrg { client in
            let now = Date()
            let body = parameters.replacing("%s", with: (now - 7_200).ISO8601Format()).replacing("%e", with: (now + 120).ISO8601Format())
            let answer = try await client.soap("<u:\(operation)>\(body)</u:\(operation)>")
            #expect(try SchemaCheck.faults(of: answer, operation) == [])
        }
    }

    @Test("describe lists the fields' elements of the reference in its order")
    func fieldOrder() async throws {
        try await withOrg { client in
            let answer = try await client.soap("<u:describeSObject><u:sObjectType>Contact</u:sObjectType></u:describeSObject>")
            let root = try XMLTreeBuilder.parse(answer.body)
            let result = try #require(root.first("Body")?.first("describeSObjectResponse")?.first("result"))
            let fields = result.children.filter { $0.name == "fields" }
            let account = try #require(fields.first { $0.first("name")?.text == "AccountId" })
            #expect(account.children.map(\.name).filter { ["aggregatable", "createable", "label", "name", "referenceTo", "relationshipName", "soapType", "type", "unique", "updateable"].contains($0) }
                == ["aggregatable", "createable", "label", "name", "referenceTo", "relationshipName", "soapType", "type", "unique", "updateable"])
            #expect(account.first("referenceTo")?.text == "Account")
            #expect(account.first("soapType")?.text == "tns:ID")
            #expect(result.first("keyPrefix")?.text == "003")
            #expect(result.first("urlDetail")?.isNil == true)
        }
    }
}
