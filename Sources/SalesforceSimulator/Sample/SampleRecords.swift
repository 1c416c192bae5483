/// The records of the sample org; texts cover what CSV and XML find hard.
enum SampleRecords {
    typealias Row = [(String, FieldInput)]

    private static func text(_ value: String) -> FieldInput { .text(value) }
    private static func number(_ value: Int) -> FieldInput { .number(String(value)) }
    private static func pad(_ value: Int, _ width: Int) -> String { String(repeating: "0", count: max(0, width - String(value).count)) + String(value) }

    private static let towns = [("Berlin", "Germany"), ("Lyon", "France"), ("Osaka", "Japan"), ("Denver", "USA"), ("Kraków", "Poland")]
    private static let industries = ["Banking", "Energy", "Retail", "Technology", "Education"]
    private static let stems = ["Acme", "Bright & Sons", "Café \"Noir\"", "Delta <Works>", "Eastern, Western & Co"]

    static var accounts: [Row] {
        (1...40).map { index in
            let town = towns[index % towns.count]
            return [
                ("Name", text("\(stems[index % stems.count]) \(index)")), ("Industry", text(industries[index % industries.count])),
                ("AnnualRevenue", number(index * 1_250_000)), ("NumberOfEmployees", number(index * 7)),
                ("Description", index % 4 == 0 ? .null : text("Line one of account \(index)\nLine two, with \"quotes\" and a \u{1F680}")),
                ("BillingCity", text(town.0)), ("BillingCountry", text(town.1)), ("BillingStreet", text("\(index) Main Street")),
                ("Phone", text("+1 555 \(pad(index, 4))")), ("Website", text("https://example.com/\(index)")),
                ("ExternalId__c", text("A-\(pad(index, 4))")),
            ]
        }
    }

    static func contacts(_ accounts: [String]) -> [Row] {
        (1...60).map { index in
            [
                ("FirstName", text(["Ada", "Bo", "Chloé", "Dmitri"][index % 4])), ("LastName", text("Person \(index)")),
                ("Email", text("person\(index)@example.com")), ("AccountId", text(accounts[index % accounts.count])),
                ("Birthdate", text("19\(pad(50 + index % 50, 2))-\(pad(index % 12 + 1, 2))-\(pad(index % 28 + 1, 2))")),
                ("ExternalId__c", text("C-\(pad(index, 4))")),
            ]
        }
    }

    static func opportunities(_ accounts: [String]) -> [Row] {
        (1...45).map { index in
            [
                ("Name", text("Deal \(index)")), ("StageName", text(["Prospecting", "Proposal", "Closed Won"][index % 3])),
                ("CloseDate", text("2026-\(pad(index % 12 + 1, 2))-15")), ("Amount", .number("\(index * 1_000).\(pad(index, 2))")),
                ("Probability", number(index * 2)), ("AccountId", text(accounts[index % accounts.count])),
                ("ExternalId__c", text("O-\(pad(index, 4))")),
            ]
        }
    }

    static func invoices(_ accounts: [String]) -> [Row] {
        (1...50).map { index in
            [
                ("Account__c", text(accounts[index % accounts.count])), ("Amount__c", .number("\(index * 99).5")), ("Paid__c", .bool(index % 2 == 0)),
                ("Due_Time__c", text("\(pad(index % 24, 2)):30:00.000Z")), ("Tags__c", text(["Urgent", "Late;Urgent", "Monthly;Export"][index % 3])),
                ("Notes__c", index % 5 == 0 ? .null : text("Invoice \(index)\r\nsecond line")), ("ExternalId__c", text("I-\(pad(index, 4))")),
            ]
        }
    }

    static func everything(_ accounts: [String]) -> [Row] {
        let texts = ["plain", "comma, and \"quote\"", "two\nlines", "carriage\r\nreturn", "emoji \u{1F600} \u{1F468}\u{200D}\u{1F469}", "tab\tinside", "'single' \\ back", "<tag> & entity", "Ünïcødé 漢字", "#N/A"]
        return (0..<30).map { index in
            guard index % 10 != 9 else { return [("Name", text("Everything empty \(index)"))] }
            return [
                ("Name", text("Everything \(index)")), ("Text__c", text(texts[index % texts.count])), ("Short_Text__c", text("s\(index)")),
                ("Text_Area__c", text("area\n\(index)")), ("Long_Text__c", text(String(repeating: "long \(index) ", count: 100))),
                ("Large_Text__c", text(String(repeating: "0123456789", count: 100 * (index + 1)))), ("Rich_Text__c", text("<p>Rich <b>\(index)</b> &amp; more</p>")),
                ("Phone__c", text("+49 30 \(index)")), ("Url__c", text("https://example.com/?q=\(index)&x=1")), ("Email__c", text("e\(index)@example.com")),
                ("Picklist__c", text(["One", "Two", "Three"][index % 3])), ("Restricted__c", text(["Red", "Green", "Blue"][index % 3])),
                ("Multi__c", text("West;North")), ("Combobox__c", text("own \(index)")), ("Encrypted__c", text("secret \(index)")),
                ("Checkbox__c", .bool(index % 2 == 1)), ("Integer__c", number(index * 1_000 - 5_000)), ("Number__c", .number("\(index).1234")),
                ("Whole_Number__c", .number(index == 0 ? "123456789012345678" : "\(index * 12_345_678)")), ("Currency__c", .number("-\(index).05")),
                ("Percent__c", .number("\(index).5")), ("Date__c", text("20\(pad(index, 2))-02-28")), ("Date_Time__c", text("20\(pad(index, 2))-02-28T23:59:59.000Z")),
                ("Time__c", text("\(pad(index % 24, 2)):15:30.250Z")), ("Account__c", text(accounts[index % accounts.count])),
                ("Place__Latitude__s", .number("52.5\(index)")), ("Place__Longitude__s", .number("-13.4\(index)")), ("Any__c", text("any \(index)")),
                ("ExternalId__c", text("E-\(pad(index, 4))")), ("Number_Key__c", number(1_000 + index)),
            ]
        }
    }
}
