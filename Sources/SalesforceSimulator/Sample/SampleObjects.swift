/// The objects of the sample org.
enum SampleObjects {
    static let all = [account, contact, opportunity, invoice, everything, document, archive, ping]

    static let user = {
        var object = ObjectDefinition("User", keyPrefix: "005", fields: ObjectDefinition.systemFields(owner: false).filter { $0.name != "IsDeleted" } + [
            .text("Username", 80).required.with { $0.unique = true; $0.idLookup = true },
            .text("LastName", 80).required, .text("FirstName", 40),
            .text("Name", 121).readOnly.with { $0.nameField = true; $0.formula = "{FirstName} {LastName}" },
            FieldDefinition("Email", .email).with { $0.length = 128; $0.idLookup = true },
            FieldDefinition("IsActive", .boolean).with { $0.defaultValue = "true" },
        ])
        // Users are switched off, not deleted.
        object.deletable = false
        object.undeletable = false
        return object
    }()

    private static func address(_ stem: String) -> [FieldDefinition] {
        let compound = stem + "Address"
        let parts: [FieldDefinition] = [
            FieldDefinition.area(stem + "Street", 255), .text(stem + "City", 40), .text(stem + "State", 80), .text(stem + "PostalCode", 20),
            .text(stem + "Country", 80), .decimal(stem + "Latitude", .double, 18, 15), .decimal(stem + "Longitude", .double, 18, 15),
            .choice(stem + "GeocodeAccuracy", ["Address", "Street", "City", "Unknown"]),
        ]
        return parts.map { $0.with { $0.compoundFieldName = compound } } + [FieldDefinition(compound, .address).readOnly]
    }

    private static func phone(_ name: String) -> FieldDefinition { FieldDefinition(name, .phone).with { $0.length = 40 } }

    private static func email(_ name: String) -> FieldDefinition { FieldDefinition(name, .email).with { $0.length = 80 } }

    static let account: ObjectDefinition = {
        var object = ObjectDefinition("Account", keyPrefix: "001", fields: ObjectDefinition.systemFields() + [
            .text("Name", 255).required.with { $0.nameField = true },
            .choice("Type", ["Prospect", "Customer", "Partner", "Other"]),
            .choice("Industry", ["Agriculture", "Banking", "Biotechnology", "Consulting", "Education", "Energy", "Retail", "Technology"]),
            .decimal("AnnualRevenue", .currency, 18, 0), FieldDefinition("NumberOfEmployees", .int).with { $0.precision = 8 },
            .area("Description", 32_000), phone("Phone"), phone("Fax"), FieldDefinition("Website", .url).with { $0.length = 255 },
            .text("AccountNumber", 40),
            .lookup("ParentId", to: "Account", relationship: "Parent", children: "ChildAccounts"),
        ] + address("Billing") + address("Shipping") + [
            .externalId("ExternalId__c", 64), .text("Checked__c", 255),
        ])
        object.flows = [ObjectDefinition.Flow(field: "Checked__c", template: "Checked: {Name}")]
        return object
    }()

    static let contact: ObjectDefinition = {
        var object = ObjectDefinition("Contact", keyPrefix: "003", fields: ObjectDefinition.systemFields() + [
            .lookup("AccountId", to: "Account", relationship: "Account", children: "Contacts").with { $0.cascadeDelete = true },
            .text("LastName", 80).required.with { $0.compoundFieldName = "Name" }, .text("FirstName", 40).with { $0.compoundFieldName = "Name" },
            .choice("Salutation", ["Mr.", "Ms.", "Dr.", "Prof."]).with { $0.length = 40; $0.compoundFieldName = "Name" },
            .text("Name", 121).readOnly.with { $0.nameField = true; $0.formula = "{FirstName} {LastName}" },
            .text("Title", 128), email("Email").with { $0.idLookup = true }, phone("Phone"), phone("MobilePhone"),
            FieldDefinition("Birthdate", .date), .area("Description", 32_000),
            FieldDefinition("HasOptedOutOfEmail", .boolean), .externalId("ExternalId__c", 64),
        ] + address("Mailing"))
        object.validationRules = [ObjectDefinition.ValidationRule(
            field: "Email", comparison: .equals, value: "invalid@invalid", message: "This email address is not accepted.")]
        return object
    }()

    static let opportunity = ObjectDefinition("Opportunity", plural: "Opportunities", keyPrefix: "006", fields: ObjectDefinition.systemFields() + [
        .lookup("AccountId", to: "Account", relationship: "Account", children: "Opportunities").with { $0.cascadeDelete = true },
        .text("Name", 120).required.with { $0.nameField = true },
        .choice("StageName", ["Prospecting", "Qualification", "Proposal", "Closed Won", "Closed Lost"]).required,
        FieldDefinition("CloseDate", .date).required, .decimal("Amount", .currency, 18, 2), .decimal("Probability", .percent, 3, 0),
        .text("NextStep", 255), .area("Description", 32_000), FieldDefinition("IsPrivate", .boolean), .externalId("ExternalId__c", 64),
    ])

    static let invoice = ObjectDefinition("Invoice__c", keyPrefix: "a00", fields: ObjectDefinition.systemFields() + [
        .text("Name", 80).readOnly.required.with { $0.nameField = true; $0.autoNumberFormat = "INV-{0000}" },
        .lookup("Account__c", to: "Account", relationship: "Account__r", children: "Invoices__r"),
        .decimal("Amount__c", .currency, 18, 2), FieldDefinition("Paid__c", .boolean),
        FieldDefinition("Due_Time__c", .time), .choice("Tags__c", ["Urgent", "Monthly", "Late", "Export"], several: true),
        .area("Notes__c", 131_072), .externalId("ExternalId__c", 64),
        .text("Formula__c", 1_300).readOnly.with { $0.formula = "{Name}: {Amount__c}" },
    ])

    /// One field of every type a sync has to carry.
    static let everything = ObjectDefinition("Everything__c", label: "Everything", plural: "Everything", keyPrefix: "a01", fields: ObjectDefinition.systemFields() + [
        .text("Name", 80).with { $0.nameField = true },
        .text("Text__c", 255), .text("Short_Text__c", 10), .area("Text_Area__c", 255), .area("Long_Text__c", 32_768), .area("Large_Text__c", 131_072),
        .area("Rich_Text__c", 32_768, rich: true), phone("Phone__c"), FieldDefinition("Url__c", .url).with { $0.length = 255 }, email("Email__c"),
        .choice("Picklist__c", ["One", "Two", "Three"]), .choice("Restricted__c", ["Red", "Green", "Blue"], restricted: true),
        .choice("Multi__c", ["North", "East", "South", "West"], several: true),
        FieldDefinition("Combobox__c", .combobox).with { $0.length = 255 },
        FieldDefinition("Encrypted__c", .encryptedstring).with { $0.length = 175 },
        FieldDefinition("Checkbox__c", .boolean), FieldDefinition("Checkbox_True__c", .boolean).with { $0.defaultValue = "true" },
        FieldDefinition("Integer__c", .int).with { $0.precision = 9 }, .decimal("Number__c", .double, 18, 4), .decimal("Whole_Number__c", .double, 18, 0),
        .decimal("Currency__c", .currency, 18, 2), .decimal("Percent__c", .percent, 5, 2),
        FieldDefinition("Date__c", .date), FieldDefinition("Date_Time__c", .datetime), FieldDefinition("Time__c", .time),
        .lookup("Account__c", to: "Account", relationship: "Account__r", children: "Everything__r"),
        .lookup("Parent__c", to: "Everything__c", relationship: "Parent__r", children: "Children__r"),
        .decimal("Place__Latitude__s", .double, 18, 15).with { $0.compoundFieldName = "Place__c" },
        .decimal("Place__Longitude__s", .double, 18, 15).with { $0.compoundFieldName = "Place__c" },
        FieldDefinition("Place__c", .location).readOnly,
        FieldDefinition("Any__c", .anyType).with { $0.length = 255 },
        .text("CurrencyIsoCode", 3).with { $0.defaultValue = "USD" },
        .text("Default__c", 40).with { $0.defaultValue = "as given" },
        .text("Text_Formula__c", 1_300).readOnly.with { $0.formula = "{Text__c}/{Short_Text__c}" },
        .decimal("Number_Formula__c", .double, 18, 4).readOnly.with { $0.formula = "{Currency__c} * 2" },
        .externalId("ExternalId__c", 64),
        FieldDefinition("Number_Key__c", .double).with { $0.precision = 18; $0.externalId = true; $0.unique = true; $0.idLookup = true },
    ])

    /// Binary content: its body can be mapped by no one.
    static let document = ObjectDefinition("Attachment", keyPrefix: "00P", fields: ObjectDefinition.systemFields() + [
        .text("Name", 255).required.with { $0.nameField = true },
        .lookup("ParentId", to: "Account", relationship: "Parent", children: "Attachments").required.with { $0.cascadeDelete = true },
        FieldDefinition("Body", .base64).required, .text("ContentType", 120), FieldDefinition("BodyLength", .int).readOnly,
    ])

    /// A big object: no stamps, no incremental path.
    static let archive: ObjectDefinition = {
        var object = ObjectDefinition("Archive__b", keyPrefix: "I00", fields: [
            FieldDefinition("Id", .id).readOnly.required.with { $0.length = 18; $0.isSystem = true },
            FieldDefinition("CreatedDate", .datetime).readOnly.with { $0.isSystem = true },
            .text("Text__c", 255),
        ])
        object.replicateable = false
        object.undeletable = false
        object.updateable = false
        object.triggerable = false
        object.bulkSupported = false
        return object
    }()

    /// A platform event: it can be published and not be read.
    static let ping: ObjectDefinition = {
        var object = ObjectDefinition("Ping__e", keyPrefix: "e00", fields: [
            FieldDefinition("Id", .id).readOnly.required.with { $0.length = 18; $0.isSystem = true },
            FieldDefinition("ReplayId", .string).readOnly.with { $0.length = 1_333 }, FieldDefinition("CreatedDate", .datetime).readOnly.with { $0.isSystem = true },
            .text("Message__c", 255),
        ])
        object.queryable = false
        object.retrieveable = false
        object.replicateable = false
        object.updateable = false
        object.deletable = false
        object.undeletable = false
        object.bulkSupported = false
        return object
    }()
}
