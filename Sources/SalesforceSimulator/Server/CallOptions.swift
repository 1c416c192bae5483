/// What a client asks of a call besides its work: the headers that REST and SOAP have in common (wire reference 2.1, 3.2).
struct CallOptions: Sendable, Equatable {
    enum AssignmentRule: Sendable, Equatable {
        case none, standard
        case rule(String)
    }

    /// The client's own name: events of its changes carry it.
    var client: String?
    var assignmentRule = AssignmentRule.none
    /// Saves although a rule of the alert kind finds duplicates.
    var allowsDuplicates = false
    /// Duplicates that were found are answered with their fields.
    var includesDuplicateDetails = false
    var truncates = false

    init() {}

    /// REST: `Sforce-Auto-Assign` is TRUE unless it is sent (wire reference 2.1).
    init(_ request: SimRequest) {
        client = request.client
        switch request.headers["sforce-auto-assign"]?.trimmingBlanks {
        case let text? where text.lowercased() == "false": assignmentRule = .none
        case let text? where text.lowercased() != "true" && !text.isEmpty: assignmentRule = .rule(text)
        default: assignmentRule = .standard
        }
        allowsDuplicates = request.option("allowSave", of: "sforce-duplicate-rule-header")?.lowercased() == "true"
        includesDuplicateDetails = request.option("includeRecordDetails", of: "sforce-duplicate-rule-header")?.lowercased() == "true"
    }

    /// SOAP: an assignment rule is used only when asked for.
    init(_ envelope: SOAPEnvelope) {
        client = envelope.header("CallOptions", "client")
        if let rule = envelope.header("AssignmentRuleHeader", "assignmentRuleId"), !rule.isEmpty {
            assignmentRule = .rule(rule)
        } else if envelope.flag("AssignmentRuleHeader", "useDefaultRule") {
            assignmentRule = .standard
        }
        allowsDuplicates = envelope.flag("DuplicateRuleHeader", "allowSave")
        includesDuplicateDetails = envelope.flag("DuplicateRuleHeader", "includeRecordDetails")
        truncates = envelope.flag("AllowFieldTruncationHeader", "allowFieldTruncation")
    }
}

extension String {
    /// Without white space at either end.
    var trimmingBlanks: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
