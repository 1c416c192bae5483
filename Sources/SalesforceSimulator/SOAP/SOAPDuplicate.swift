/// The `duplicateResult` of a DuplicateError (wire reference 3.4).
enum SOAPDuplicate {
    static func write(_ result: DuplicateResult, _ writer: inout XMLWriter) {
        writer.open("duplicateResult")
        writer.element("allowSave", result.rule.action == .alert ? "true" : "false")
        writer.element("duplicateRule", result.rule.name)
        writer.element("duplicateRuleEntityType", result.object)
        writer.element("errorMessage", result.rule.message)
        writer.open("matchResults")
        writer.element("entityType", result.object)
        writer.element("matchEngine", "ExactMatchEngine")
        for match in result.matches {
            writer.open("matchRecords")
            writer.element("matchConfidence", "100.0")
            writer.raw("<record xsi:type=\"sf:sObject\">")
            writer.element("sf:type", result.object)
            writer.element("sf:Id", match.id)
            writer.element("sf:Id", match.id)
            for member in match.fields { writer.element("sf:" + member.key, member.value.string) }
            writer.close("record")
            writer.close("matchRecords")
        }
        writer.element("rule", result.rule.matchRule)
        writer.element("size", String(result.matches.count))
        writer.element("success", "true")
        writer.close("matchResults")
        writer.close("duplicateResult")
    }
}
