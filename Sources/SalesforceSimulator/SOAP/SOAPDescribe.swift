/// Describe over SOAP: the elements of the partner schema in its order (wire reference 10.3).
enum SOAPDescribe {
    private static let globalElements = [
        "activateable", "createable", "custom", "customSetting", "deletable", "deprecatedAndHidden", "feedEnabled", "hasSubtypes", "idEnabled",
        "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable", "mergeable", "mruEnabled", "name", "queryable", "replicateable",
        "retrieveable", "searchable", "triggerable", "undeletable", "updateable",
    ]
    private static let objectElements = [
        "activateable", "childRelationships", "compactLayoutable", "createable", "custom", "customSetting", "deletable", "deprecatedAndHidden",
        "feedEnabled", "fields", "hasSubtypes", "idEnabled", "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable", "mergeable",
        "mruEnabled", "name", "networkScopeFieldName", "queryable", "recordTypeInfos", "replicateable", "retrieveable", "searchLayoutable",
        "searchable", "supportedScopes", "triggerable", "undeletable", "updateable", "urlDetail", "urlEdit", "urlNew",
    ]
    private static let fieldElements = [
        "aggregatable", "autoNumber", "byteLength", "calculated", "calculatedFormula", "cascadeDelete", "caseSensitive", "compoundFieldName",
        "controllerName", "createable", "custom", "defaultValue", "defaultValueFormula", "defaultedOnCreate", "dependentPicklist",
        "deprecatedAndHidden", "digits", "displayLocationInDecimal", "encrypted", "externalId", "extraTypeInfo", "filterable", "groupable",
        "highScaleNumber", "htmlFormatted", "idLookup", "inlineHelpText", "label", "length", "mask", "maskType", "name", "nameField",
        "namePointing", "nillable", "permissionable", "picklistValues", "polymorphicForeignKey", "precision", "queryByDistance",
        "referenceTargetField", "referenceTo", "relationshipName", "relationshipOrder", "restrictedDelete", "restrictedPicklist", "scale",
        "searchPrefilterable", "soapType", "sortable", "type", "unique", "updateable", "writeRequiresMasterRead",
    ]
    private static let nested = ["fields": fieldElements, "picklistValues": ["active", "defaultValue", "label", "validFor", "value"],
        "childRelationships": ["cascadeDelete", "childSObject", "deprecatedAndHidden", "field", "relationshipName", "restrictedDelete"],
        "recordTypeInfos": ["available", "defaultRecordTypeMapping", "master", "name", "recordTypeId"], "supportedScopes": ["label", "name"]]

    static func object(_ object: ObjectDefinition, all: [ObjectDefinition]) -> String {
        var writer = XMLWriter("<result>")
        write(Describe.object(object, all: all, version: ""), objectElements, &writer)
        return writer.text + "</result>"
    }

    static func global(_ objects: [ObjectDefinition]) -> String {
        var writer = XMLWriter("<result><encoding>UTF-8</encoding><maxBatchSize>200</maxBatchSize>")
        for object in objects {
            writer.raw("<sobjects>")
            write(.object(Describe.entry(object, version: "")), globalElements, &writer)
            writer.raw("</sobjects>")
        }
        return writer.text + "</result>"
    }

    private static func write(_ value: JSON, _ elements: [String], _ writer: inout XMLWriter) {
        for name in elements {
            switch value[name] {
            case nil where name == "idEnabled": writer.element(name, "true")
            case nil where name.hasPrefix("url") || name == "networkScopeFieldName": writer.element(name, nil)
            // Optional elements without a value are left out; keyPrefix and the addresses are nillable instead.
            case nil: break
            case .null?:
                if ["keyPrefix", "networkScopeFieldName"].contains(name) { writer.element(name, nil) }
            case .array(let entries)?:
                for entry in entries {
                    if let elements = nested[name] {
                        writer.open(name)
                        write(entry, elements, &writer)
                        writer.close(name)
                    } else {
                        writer.element(name, entry.string)
                    }
                }
            case let member?: writer.element(name, member.string)
            }
        }
    }
}
