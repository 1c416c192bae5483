/// A SOAP fault, or the `<error>` of Bulk 1.0 (API reference 3.6, 4.1).
struct XMLFault {
    var code: String
    var message: String

    /// Reads the fault in `body`; nil when there is none that is complete.
    init?(_ body: [UInt8]) {
        var reader = XMLReader(body)
        var path: [String] = []
        var found: [String: String] = [:]
        do throws(XMLReader.Malformed) {
            while let event = try reader.next() {
                switch event {
                case .start(let name, _):
                    switch name {
                    case "faultcode", "faultstring", "exceptionCode", "exceptionMessage":
                        found[name] = found[name, default: ""] + (try reader.text())
                    default: path.append(name)
                    }
                case .end: _ = path.popLast()
                case .text: break
                }
            }
        } catch { return nil }
        if let code = found["exceptionCode"], !code.isEmpty {
            self.code = code
            message = found["exceptionMessage"] ?? found["faultstring"] ?? ""
        } else if let faultcode = found["faultcode"] {
            // `sf:INVALID_SESSION_ID` is Salesforce's, `soapenv:Client` is SOAP's own.
            code = faultcode.hasPrefix("sf:") ? String(faultcode.dropFirst(3)) : faultcode
            message = found["faultstring"] ?? ""
        } else {
            return nil
        }
        if message.hasPrefix(code + ": ") { message.removeFirst(code.count + 2) }
    }
}
