/// Rich text is HTML that Salesforce rewrites on save: what could run is taken out (wire reference 8.2).
enum RichText {
    static func cleaned(_ html: String) -> String {
        guard html.contains("<") else { return html }
        return html.replacing(/<script\b[^>]*>.*?<\/script\s*>/.ignoresCase().dotMatchesNewlines(), with: "")
            .replacing(/(<[^>]*?)\s+on[a-z]+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/.ignoresCase()) { String($0.output.1) }
    }
}
