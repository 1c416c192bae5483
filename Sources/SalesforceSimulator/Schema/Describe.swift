/// The describe documents of REST (wire reference 2.4 and 2.5).
enum Describe {
    static func global(_ objects: [ObjectDefinition], version: String) -> JSON {
        ["encoding": "UTF-8", "maxBatchSize": 200, "sobjects": .array(objects.map { .object(entry($0, version: version)) })]
    }

    static func entry(_ object: ObjectDefinition, version: String) -> [JSON.Member] {
        let path = "/services/data/v\(version)/sobjects/\(object.name)"
        let custom = object.isCustom
        let flags: [(String, JSON)] = [
            ("activateable", false), ("associateEntityType", nil), ("associateParentEntity", nil),
            ("createable", .bool(object.createable)), ("custom", .bool(custom)), ("customSetting", false),
            ("deepCloneable", false), ("deletable", .bool(object.deletable)), ("deprecatedAndHidden", false),
            ("feedEnabled", false), ("hasSubtypes", false), ("interfaceable", false), ("isInterface", false), ("isSubtype", false),
            ("keyPrefix", .text(object.keyPrefix)), ("label", .string(object.label)),
            ("labelPlural", .string(object.labelPlural)), ("layoutable", .bool(object.queryable)),
            ("mergeable", .bool(["Account", "Contact", "Lead"].contains(object.name))), ("mruEnabled", .bool(object.queryable)),
            ("name", .string(object.name)), ("queryable", .bool(object.queryable)),
            ("replicateable", .bool(object.replicateable)), ("retrieveable", .bool(object.retrieveable)),
            ("searchable", .bool(object.searchable)), ("triggerable", .bool(object.triggerable)),
            ("undeletable", .bool(object.undeletable)), ("updateable", .bool(object.updateable)),
            ("urls", urls(object, path)),
        ]
        return flags.map { JSON.Member(key: $0.0, value: $0.1) }
    }

    private static func urls(_ object: ObjectDefinition, _ path: String) -> JSON {
        var urls: JSON = ["rowTemplate": .string(path + "/{ID}"), "describe": .string(path + "/describe"), "sobject": .string(path)]
        guard object.queryable, object.replicateable else { return urls }
        for (name, end) in [
            ("approvalLayouts", "/describe/approvalLayouts"), ("compactLayouts", "/describe/compactLayouts"), ("defaultValues", "/defaultValues?recordTypeId&fields"),
            ("layouts", "/describe/layouts"), ("listviews", "/listviews"), ("quickActions", "/quickActions"),
        ] { urls.set(name, .string(path + end)) }
        return urls
    }

    static func object(_ object: ObjectDefinition, all: [ObjectDefinition], version: String) -> JSON {
        var members = entry(object, version: version)
        func add(_ key: String, _ value: JSON) { members.append(JSON.Member(key: key, value: value)) }
        add("actionOverrides", [])
        add("childRelationships", .array(children(of: object, in: all)))
        add("compactLayoutable", .bool(object.queryable))
        add("defaultImplementation", nil)
        add("extendedBy", nil)
        add("extendsInterfaces", nil)
        add("fields", .array(object.fields.map { field($0, of: object) }))
        add("implementedBy", nil)
        add("implementsInterfaces", nil)
        add("listviewable", nil)
        add("lookupLayoutable", nil)
        add("namedLayoutInfos", [])
        add("networkScopeFieldName", nil)
        add("recordTypeInfos", .array(object.recordTypeInfos(version: version)))
        add("searchLayoutable", .bool(object.searchable))
        add("sobjectDescribeOption", "FULL")
        add("supportedScopes", [["label": .string("All " + object.labelPlural), "name": "everything"]])
        return .object(members)
    }

    private static func children(of object: ObjectDefinition, in all: [ObjectDefinition]) -> [JSON] {
        all.flatMap { child in
            child.fields.filter { $0.referenceTo.contains(object.name) && !$0.isSystem }.map { field -> JSON in
                [
                    "cascadeDelete": .bool(field.cascadeDelete), "childSObject": .string(child.name),
                    "deprecatedAndHidden": false, "field": .string(field.name), "junctionIdListNames": [],
                    "junctionReferenceTo": [], "relationshipName": .text(field.childRelationshipName),
                    "restrictedDelete": .bool(field.restrictedDelete),
                ]
            }
        }
    }

    private static func field(_ field: FieldDefinition, of object: ObjectDefinition) -> JSON {
        let length = field.describedLength
        let calculatedName = field.formula != nil && field.nameField
        let values: [JSON] = field.picklistValues.map { value in
            ["active": true, "defaultValue": .bool(value == field.defaultValue), "label": .string(value), "validFor": nil, "value": .string(value)]
        }
        let defaultValue: JSON = field.kind == .boolean ? .bool(field.defaultValue == "true") : .text(field.defaultValue)
        let members: [(String, JSON)] = [
            ("aggregatable", .bool(field.isFilterable)), ("aiPredictionField", false),
            ("autoNumber", .bool(field.autoNumberFormat != nil)), ("byteLength", .int(length * (length == 18 ? 1 : 3))),
            ("calculated", .bool(field.isCalculated && !calculatedName)),
            ("calculatedFormula", calculatedName ? nil : .text(field.formula)),
            ("cascadeDelete", .bool(field.cascadeDelete)), ("caseSensitive", .bool(field.caseSensitive)),
            ("compoundFieldName", .text(field.compoundFieldName)), ("controllerName", nil),
            ("createable", .bool(field.createable && !field.isCalculated && !field.isCompound && field.autoNumberFormat == nil)), ("custom", .bool(field.isCustom)),
            ("defaultValue", defaultValue), ("defaultValueFormula", nil),
            ("defaultedOnCreate", .bool(field.isSystem || field.defaultValue != nil || field.autoNumberFormat != nil || field.kind == .boolean)),
            ("dependentPicklist", false), ("deprecatedAndHidden", false),
            ("digits", .int(field.kind == .int ? (field.precision == 0 ? 8 : field.precision) : 0)),
            ("displayLocationInDecimal", .bool(field.kind == .location)), ("encrypted", .bool(field.kind == .encryptedstring)),
            ("externalId", .bool(field.externalId)), ("extraTypeInfo", .text(field.extraTypeInfo)),
            ("filterable", .bool(field.isFilterable)), ("filteredLookupInfo", nil),
            ("formulaTreatNullNumberAsZero", false), ("groupable", .bool(field.isGroupable)),
            ("highScaleNumber", false), ("htmlFormatted", .bool(field.extraTypeInfo == "richtextarea")),
            ("idLookup", .bool(field.idLookup)), ("inlineHelpText", nil), ("label", .string(field.label)),
            ("length", .int(length)), ("mask", field.kind == .encryptedstring ? "*" : nil),
            ("maskType", field.kind == .encryptedstring ? "all" : nil), ("name", .string(field.name)),
            ("nameField", .bool(field.nameField)), ("namePointing", .bool(field.referenceTo.count > 1)),
            ("nillable", .bool(field.nillable)), ("permissionable", .bool(!field.isSystem && field.nillable)),
            ("picklistValues", .array(values)), ("polymorphicForeignKey", .bool(field.referenceTo.count > 1)),
            ("precision", .int(field.isDecimal ? field.precision : 0)), ("queryByDistance", .bool(field.kind == .location)),
            ("referenceTargetField", nil), ("referenceTo", .texts(field.referenceTo)),
            ("relationshipName", .text(field.relationshipName)),
            ("relationshipOrder", field.cascadeDelete && field.isCustom ? 0 : nil),
            ("restrictedDelete", .bool(field.restrictedDelete)), ("restrictedPicklist", .bool(field.restrictedPicklist)),
            ("scale", .int(field.isDecimal ? field.scale : 0)), ("searchPrefilterable", .bool(field.kind == .reference)),
            ("soapType", .string(field.soapType)), ("sortable", .bool(field.isSortable)), ("type", .string(field.kind.rawValue)),
            ("unique", .bool(field.unique)),
            ("updateable", .bool(field.updateable && !field.isCalculated && !field.isCompound && field.autoNumberFormat == nil)),
            ("writeRequiresMasterRead", false),
        ]
        return .object(members.map { JSON.Member(key: $0.0, value: $0.1) })
    }
}
