/// Writes requests of the partner API (API reference 3).
enum SOAPEnvelope {
    /// A complete envelope around `body`, which holds the children of the operation's element.
    static func encode(
        operation: String, sessionID: Secret, client: String, headers: [UInt8] = [], body: [UInt8]
    ) -> [UInt8] {
        var xml = XMLWriter(reserving: body.count + headers.count + 1024)
        xml.raw(#"<?xml version="1.0" encoding="UTF-8"?>"#)
        xml.raw(#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/""#)
        xml.raw(#" xmlns:urn="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com">"#)
        xml.raw("<soapenv:Header><urn:SessionHeader>")
        xml.element("urn:sessionId", sessionID.reveal())
        xml.raw("</urn:SessionHeader><urn:CallOptions>")
        xml.element("urn:client", client)
        xml.raw("</urn:CallOptions>")
        xml.append(headers)
        xml.raw("</soapenv:Header><soapenv:Body>")
        xml.open("urn:\(operation)")
        xml.append(body)
        xml.close("urn:\(operation)")
        xml.raw("</soapenv:Body></soapenv:Envelope>")
        return xml.bytes
    }

    /// The header elements of a writing call: each record stands for itself, and the options.
    static func headers(_ options: WriteOptions, assigns: Bool) -> [UInt8] {
        var xml = XMLWriter(reserving: 512)
        xml.raw("<urn:AllOrNoneHeader><urn:allOrNone>false</urn:allOrNone></urn:AllOrNoneHeader>")
        if assigns, let rule = options.assignmentRule {
            xml.open("urn:AssignmentRuleHeader")
            switch rule {
            case .useDefault: xml.element("urn:useDefaultRule", "true")
            case .rule(let id): xml.element("urn:assignmentRuleId", id)
            }
            xml.close("urn:AssignmentRuleHeader")
        }
        if options.allowsDuplicates {
            xml.open("urn:DuplicateRuleHeader")
            xml.element("urn:allowSave", "true")
            xml.element("urn:includeRecordDetails", "false")
            xml.element("urn:runAsCurrentUser", "true")
            xml.close("urn:DuplicateRuleHeader")
        }
        return xml.bytes
    }

    /// The children of create, update or upsert.
    static func body(_ operation: WriteOperation, _ records: [WriteRecord]) -> [UInt8] {
        var xml = XMLWriter(reserving: records.count * 256 + 64)
        if case .upsert(let field) = operation { xml.element("urn:externalIDFieldName", field) }
        for record in records { encode(record, into: &xml) }
        return xml.bytes
    }

    /// One sObject. The order is fixed: type, fieldsToNull, Id, fields (API reference 3.1).
    private static func encode(_ record: WriteRecord, into xml: inout XMLWriter) {
        xml.open("urn:sObjects")
        xml.element("sf:type", record.objectType)
        for field in record.nulls { xml.element("sf:fieldsToNull", field) }
        for field in record.fields where field.value.isEmpty { xml.element("sf:fieldsToNull", field.name) }
        if let id = record.id { xml.element("sf:Id", id) }
        for field in record.fields where !field.value.isEmpty { xml.element("sf:\(field.name)", field.value) }
        for parent in record.parents {
            xml.open("sf:\(parent.relationshipName)")
            xml.element("sf:type", parent.parentType)
            xml.element("sf:\(parent.externalIDField)", parent.value)
            xml.close("sf:\(parent.relationshipName)")
        }
        xml.close("urn:sObjects")
    }

    /// The children of delete.
    static func body(deleting ids: [String]) -> [UInt8] {
        var xml = XMLWriter(reserving: ids.count * 48)
        for id in ids { xml.element("urn:ids", id) }
        return xml.bytes
    }

    /// The children of retrieve.
    static func body(retrieving ids: [String], of type: String, fields: [String]) -> [UInt8] {
        var xml = XMLWriter(reserving: ids.count * 48 + 1024)
        xml.element("urn:fieldList", fields.joined(separator: ","))
        xml.element("urn:sObjectType", type)
        for id in ids { xml.element("urn:ids", id) }
        return xml.bytes
    }
}
