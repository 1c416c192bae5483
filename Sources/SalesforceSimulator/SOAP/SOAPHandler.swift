import Foundation

/// The partner API: `/services/Soap/u/{v}` (wire reference 3).
struct SOAPHandler: FamilyHandler {
    let request: SimRequest
    private let parsed: Result<SOAPEnvelope, any Error>

    init(request: SimRequest) {
        self.request = request
        parsed = Result { try SOAPEnvelope(request.body) }
    }

    var version: String { request.segments.count > 3 ? request.segments[3] : "" }

    private var envelope: SOAPEnvelope? { try? parsed.get() }

    func describe() -> CallDescription {
        guard let envelope else { return CallDescription(.soap, isDescription ? "wsdl" : "unknown", version: version) }
        var call = CallDescription(.soap, envelope.operation.name, version: version)
        call.client = envelope.header("CallOptions", "client")
        call.records = envelope.records
        call.ids = envelope.ids
        call.key = envelope.text("externalIDFieldName") ?? envelope.text("externalIdFieldName")
        call.recordCount = call.records.count + call.ids.count
        call.object = call.records.first?.type ?? envelope.text("sObjectType")
        if let query = envelope.text("queryString") { call.object = RESTHandler.queriedObject(query) }
        return call
    }

    /// `GET /services/Soap/u/{v}?wsdl`
    private var isDescription: Bool { request.method == "GET" && request.query["wsdl"] != nil }

    func refusal(_ error: APIError) -> Reply {
        if error.code == APIError.session.code { return SOAPFault.session(SOAPFault.sessionMessage) }
        if error.status == 503 { return RESTHandler.refusal(error) }
        return SOAPFault.reply(error)
    }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        if isDescription {
            try context.checkVersion(version)
            return WSDLHandler.reply(version, request, context)
        }
        guard request.method == "POST" else { return SOAPFault.client("only POST is answered here") }
        guard request.headers["soapaction"] != nil else { return SOAPFault.client("SOAPAction HTTP header missing") }
        let envelope: SOAPEnvelope
        switch parsed {
        case .success(let value): envelope = value
        case .failure(let failure as SOAPEnvelope.Misunderstood):
            return SOAPFault.fault(code: "soapenv:MustUnderstand", text: "header \(failure.header) is not understood", detail: nil)
        case .failure(let failure):
            return SOAPFault.client((failure as? XMLTreeBuilder.Failure)?.message ?? "the envelope cannot be read")
        }
        guard request.segments.count > 2, request.segments[2].lowercased() == "u" else { throw APIError.notFound() }
        guard context.state.settings.versions.contains(version) else {
            throw APIError(500, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
        }
        let offered = envelope.operation.name != "login" || context.state.settings.soap.offersLogin(version)
        guard offered, PartnerSchema.operation(envelope.operation.name) != nil else {
            return SOAPFault.client("No operation available for request {\(PartnerSchema.namespace)}\(envelope.operation.name), please check the WSDL for the service.")
        }
        if context.state.settings.soap.checksOrder, let part = envelope.misplaced { return SOAPFault.client("Element \(part) invalid at this location") }
        context.options = CallOptions(envelope)
        call.options = context.options
        if envelope.operation.name == "login" { return try SOAPLogin(request: request, version: version).answer(envelope, &call, context) }
        guard let token = envelope.header("SessionHeader", "sessionId"), !token.isEmpty else { return SOAPFault.session(SOAPFault.sessionMessage + "null") }
        // A token in JWT form is no session id (wire reference 0.1).
        guard !SignedToken.hasShape(token), let user = try Sessions.user(of: token, context.state, context.db) else {
            return SOAPFault.session(SOAPFault.sessionMessage + String(token.prefix(15)))
        }
        context.user = user
        call.user = user
        let calls = SOAPCalls(envelope: envelope, request: request, version: version, context: context)
        let body = try calls.answer(&call)
        return SOAPReply.success(envelope.operation.name, body, used: context.state.usedRequests, limit: context.state.settings.dailyRequests)
    }
}

/// Answers are written by hand: the default namespace for results, `sf` for records, as clients match them by prefix.
enum SOAPReply {
    static func success(_ operation: String, _ body: String, used: Int?, limit: Int) -> Reply {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
            xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com" \
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
            """
        if let used {
            text += "<soapenv:Header><LimitInfoHeader><limitInfo><current>\(used)</current><limit>\(limit)</limit>"
                + "<type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>"
        }
        text += "<soapenv:Body><\(operation)Response>\(body)</\(operation)Response></soapenv:Body></soapenv:Envelope>"
        return .xml(200, text)
    }
}

/// Faults (wire reference 3.6).
enum SOAPFault {
    static let sessionMessage = "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key: "

    private static func types(_ code: String) -> String {
        switch code {
        case "INVALID_LOGIN", "LOGIN_MUST_USE_SECURITY_TOKEN": "LoginFault"
        case "MALFORMED_QUERY": "MalformedQueryFault"
        case "INVALID_FIELD": "InvalidFieldFault"
        case "INVALID_TYPE", "INVALID_TYPE_FOR_OPERATION": "InvalidSObjectFault"
        case "INVALID_QUERY_LOCATOR": "InvalidQueryLocatorFault"
        case "MALFORMED_ID", "INVALID_ID_FIELD": "InvalidIdFault"
        default: "UnexpectedErrorFault"
        }
    }

    static func session(_ message: String) -> Reply { reply(APIError(500, "INVALID_SESSION_ID", message)) }

    static func reply(_ error: APIError) -> Reply {
        let type = types(error.code)
        var detail = XMLWriter()
        detail.open("sf:\(type) xsi:type=\"sf:\(type)\"")
        detail.element("sf:exceptionCode", error.code)
        detail.element("sf:exceptionMessage", error.message)
        if PartnerSchema.isQueryFault(type) {
            detail.element("sf:row", String(error.position?.row ?? -1))
            detail.element("sf:column", String(error.position?.column ?? -1))
        }
        detail.close("sf:\(type)")
        return fault(code: "sf:" + error.code, text: error.code + ": " + error.message, detail: detail.text)
    }

    static func client(_ message: String) -> Reply { fault(code: "soapenv:Client", text: message, detail: nil) }

    static func fault(code: String, text: String, detail: String?) -> Reply {
        var writer = XMLWriter("""
            <?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
            xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
            <soapenv:Body><soapenv:Fault>
            """)
        writer.element("faultcode", code)
        writer.element("faultstring", text)
        if let detail { writer.raw("<detail>" + detail + "</detail>") }
        writer.raw("</soapenv:Fault></soapenv:Body></soapenv:Envelope>")
        return .xml(500, writer.text)
    }
}
