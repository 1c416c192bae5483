/// Turns an sObject of a SOAP answer into the JSON object that REST gives for the same record (API reference 3.4).
enum SOAPRecord {
    /// Writes the record whose start was just read, through its end. Values are strings as SOAP writes them, or null.
    /// `Id` comes twice when selected, and once as nil when not: it is written once, or not at all.
    static func writeJSON(_ reader: inout XMLReader, into json: inout JSONWriter) throws(XMLReader.Malformed) {
        var isFirst = true
        var hasID = false
        func separator(_ json: inout JSONWriter) {
            if !isFirst { json.raw(",") }
            isFirst = false
        }
        json.raw("{")
        try reader.eachChild { (name, isNil, reader) throws(XMLReader.Malformed) in
            switch name {
            case "type" where isFirst:
                separator(&json)
                json.raw(#""attributes":{"type":"#)
                json.string(try reader.text())
                json.raw("}")
            case "Id" where isNil || hasID: try reader.skipElement()
            default:
                if name == "Id" { hasID = true }
                separator(&json)
                json.key(name)
                try writeValue(&reader, isNil: isNil, into: &json)
            }
        }
        json.raw("}")
    }

    /// A field: null, text, or an element with children (a parent record, an address).
    private static func writeValue(_ reader: inout XMLReader, isNil: Bool, into json: inout JSONWriter) throws(XMLReader.Malformed) {
        if isNil {
            try reader.skipElement()
            json.raw("null")
            return
        }
        var text = ""
        var look = reader
        while let event = try look.next() {
            switch event {
            case .text(let piece): text += piece
            case .end:
                reader = look
                json.string(text)
                return
            case .start: return try writeJSON(&reader, into: &json)
            }
        }
        throw XMLReader.Malformed()
    }
}
