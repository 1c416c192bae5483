/// The partner API as data: what the WSDL is made from, what requests are checked against, and the order of the
/// elements of answers (wire reference 3.2 to 3.6, 10.3).
enum PartnerSchema {
    static let namespace = "urn:partner.soap.sforce.com"
    static let recordNamespace = "urn:sobject.partner.soap.sforce.com"
    static let faultNamespace = "urn:fault.partner.soap.sforce.com"

    // MARK: Operations

    private static let session = ["SessionHeader", "CallOptions"]
    private static let reading = session + ["QueryOptions"]
    private static let removing = session + [
        "PackageVersionHeader", "UserTerritoryDeleteHeader", "EmailHeader", "AllowFieldTruncationHeader", "DisableFeedTrackingHeader",
        "StreamingEnabledHeader", "AllOrNoneHeader", "DuplicateRuleHeader", "LocaleOptions", "DebuggingHeader",
    ]
    private static let creating = session + [
        "AssignmentRuleHeader", "MruHeader", "AllowFieldTruncationHeader", "DisableFeedTrackingHeader", "StreamingEnabledHeader",
        "AllOrNoneHeader", "DuplicateRuleHeader", "LocaleOptions", "DebuggingHeader", "PackageVersionHeader", "EmailHeader",
    ]
    private static let changing = creating + ["OwnerChangeOptions"]
    private static let querying = ["InvalidSObjectFault", "MalformedQueryFault", "InvalidFieldFault", "InvalidIdFault"]
    private static let saving = ["InvalidSObjectFault", "InvalidIdFault", "InvalidFieldFault"]

    static let operations: [SchemaOperation] = [
        SchemaOperation("login", "username password", result: "LoginResult", headers: ["LoginScopeHeader", "CallOptions"], faults: ["LoginFault"]),
        SchemaOperation("describeSObject", "sObjectType", result: "DescribeSObjectResult!", headers: session + ["PackageVersionHeader", "LocaleOptions"], faults: ["InvalidSObjectFault"]),
        SchemaOperation("describeSObjects", "sObjectType*", result: "DescribeSObjectResult*!", headers: session + ["PackageVersionHeader", "LocaleOptions"], faults: ["InvalidSObjectFault"]),
        SchemaOperation("describeGlobal", result: "DescribeGlobalResult", headers: session + ["PackageVersionHeader"]),
        SchemaOperation("create", "sObjects:sf:sObject*", result: "SaveResult*", headers: creating, faults: saving),
        SchemaOperation("update", "sObjects:sf:sObject*", result: "SaveResult*", headers: changing, faults: saving),
        SchemaOperation("upsert", "externalIDFieldName sObjects:sf:sObject*", result: "UpsertResult*", headers: changing, faults: saving),
        SchemaOperation("delete", "ids:ID*", result: "DeleteResult*", headers: removing),
        SchemaOperation("undelete", "ids:ID*", result: "UndeleteResult*", headers: removing),
        SchemaOperation("emptyRecycleBin", "ids:ID*", result: "EmptyRecycleBinResult*", headers: session),
        SchemaOperation("query", "queryString", result: "QueryResult", headers: reading + ["MruHeader", "PackageVersionHeader"], faults: querying + ["InvalidQueryLocatorFault"]),
        SchemaOperation("queryAll", "queryString", result: "QueryResult", headers: reading, faults: querying + ["InvalidQueryLocatorFault"]),
        SchemaOperation("queryMore", "queryLocator:QueryLocator", result: "QueryResult", headers: reading, faults: ["InvalidQueryLocatorFault", "InvalidFieldFault"]),
        SchemaOperation("retrieve", "fieldList sObjectType ids:ID*", result: "sf:sObject*!", headers: reading + ["MruHeader", "PackageVersionHeader"], faults: querying),
        SchemaOperation("getUpdated", "sObjectType startDate:dateTime endDate:dateTime", result: "GetUpdatedResult", headers: session, faults: ["InvalidSObjectFault"]),
        SchemaOperation("getDeleted", "sObjectType startDate:dateTime endDate:dateTime", result: "GetDeletedResult", headers: session, faults: ["InvalidSObjectFault"]),
        SchemaOperation("getServerTimestamp", result: "GetServerTimestampResult", headers: session),
        SchemaOperation("getUserInfo", result: "GetUserInfoResult", headers: session),
        SchemaOperation("logout", result: nil, headers: session),
        SchemaOperation("invalidateSessions", "sessionIds*", result: "InvalidateSessionsResult*", headers: session),
    ]

    static func operation(_ name: String) -> SchemaOperation? { operations.first { $0.name == name } }

    // MARK: Headers

    /// Headers of requests; `LimitInfoHeader` is the only one of answers.
    static let headers: [SchemaType] = [
        SchemaType("SessionHeader", "sessionId"),
        SchemaType("LoginScopeHeader", "organizationId portalId?"),
        SchemaType("CallOptions", "client! defaultNamespace!"),
        SchemaType("QueryOptions", "batchSize:int!"),
        SchemaType("AllOrNoneHeader", "allOrNone:boolean"),
        SchemaType("AllowFieldTruncationHeader", "allowFieldTruncation:boolean"),
        SchemaType("AssignmentRuleHeader", "assignmentRuleId:ID! useDefaultRule:boolean!"),
        SchemaType("DuplicateRuleHeader", "allowSave:boolean includeRecordDetails:boolean runAsCurrentUser:boolean"),
        SchemaType("EmailHeader", "triggerAutoResponseEmail:boolean triggerOtherEmail:boolean triggerUserEmail:boolean"),
        SchemaType("MruHeader", "updateMru:boolean"),
        SchemaType("OwnerChangeOptions", "options:OwnerChangeOption*"),
        SchemaType("DisableFeedTrackingHeader", "disableFeedTracking:boolean"),
        SchemaType("StreamingEnabledHeader", "streamingEnabled:boolean"),
        SchemaType("LocaleOptions", "language? localizeErrors:boolean?"),
        SchemaType("PackageVersionHeader", "packageVersions:PackageVersion*"),
        SchemaType("UserTerritoryDeleteHeader", "transferToUserId:ID!"),
        SchemaType("DebuggingHeader", "debugLevel"),
        SchemaType("LimitInfoHeader", "limitInfo:LimitInfo*"),
    ]

    // MARK: Types

    private static let user = """
        accessibilityMode:boolean chatterExternal:boolean currencySymbol! orgAttachmentFileSizeLimit:int orgDefaultCurrencyIsoCode! \
        orgDefaultCurrencyLocale! orgDisallowHtmlAttachments:boolean orgHasPersonAccounts:boolean organizationId:ID \
        organizationMultiCurrency:boolean organizationName profileId:ID roleId:ID! sessionSecondsValid:int userDefaultCurrencyIsoCode! \
        userEmail userFullName userId:ID userLanguage userLocale userName userTimeZone userType userUiSkin
        """

    private static let globalEntry = """
        activateable:boolean createable:boolean custom:boolean customSetting:boolean deletable:boolean deprecatedAndHidden:boolean \
        feedEnabled:boolean hasSubtypes:boolean idEnabled:boolean isSubtype:boolean keyPrefix! label labelPlural layoutable:boolean \
        mergeable:boolean mruEnabled:boolean name queryable:boolean replicateable:boolean retrieveable:boolean searchable:boolean \
        triggerable:boolean undeletable:boolean updateable:boolean
        """

    private static let object = """
        actionOverrides:ActionOverride*! activateable:boolean childRelationships:ChildRelationship* compactLayoutable:boolean \
        createable:boolean custom:boolean customSetting:boolean deletable:boolean deprecatedAndHidden:boolean feedEnabled:boolean \
        fields:Field*! hasSubtypes:boolean idEnabled:boolean isSubtype:boolean keyPrefix! label labelPlural layoutable:boolean \
        mergeable:boolean mruEnabled:boolean name namedLayoutInfos:NamedLayoutInfo* networkScopeFieldName! queryable:boolean \
        recordTypeInfos:RecordTypeInfo* replicateable:boolean retrieveable:boolean searchLayoutable:boolean? searchable:boolean \
        supportedScopes:ScopeInfo*! triggerable:boolean? undeletable:boolean updateable:boolean urlDetail! urlEdit! urlNew!
        """

    private static let field = """
        aggregatable:boolean autoNumber:boolean byteLength:int calculated:boolean calculatedFormula? cascadeDelete:boolean? \
        caseSensitive:boolean compoundFieldName? controllerName? createable:boolean custom:boolean defaultValue:anyType? defaultValueFormula? \
        defaultedOnCreate:boolean dependentPicklist:boolean? deprecatedAndHidden:boolean digits:int displayLocationInDecimal:boolean? \
        encrypted:boolean? externalId:boolean? extraTypeInfo? filterable:boolean filteredLookupInfo:FilteredLookupInfo? groupable:boolean \
        highScaleNumber:boolean? htmlFormatted:boolean? idLookup:boolean inlineHelpText? label length:int mask? maskType? name \
        nameField:boolean namePointing:boolean? nillable:boolean permissionable:boolean picklistValues:PicklistEntry*! \
        polymorphicForeignKey:boolean precision:int queryByDistance:boolean referenceTargetField? referenceTo*! relationshipName? \
        relationshipOrder:int? restrictedDelete:boolean? restrictedPicklist:boolean scale:int searchPrefilterable:boolean soapType:soapType \
        sortable:boolean? type:fieldType unique:boolean updateable:boolean writeRequiresMasterRead:boolean?
        """

    static let types: [SchemaType] = [
        SchemaType("LoginResult", "metadataServerUrl! passwordExpired:boolean sandbox:boolean serverUrl! sessionId! userId:ID! userInfo:GetUserInfoResult?"),
        SchemaType("GetUserInfoResult", user),
        SchemaType("Error", "extendedErrorDetails:ExtendedErrorDetails*! fields*! message statusCode:StatusCode"),
        SchemaType("ExtendedErrorDetails", "extendedErrorCode"),
        SchemaType("DuplicateError", extends: "Error", "duplicateResult:DuplicateResult"),
        SchemaType("DuplicateResult", "allowSave:boolean duplicateRule duplicateRuleEntityType errorMessage! matchResults:MatchResult*"),
        SchemaType("MatchResult", "entityType errors:Error* matchEngine matchRecords:MatchRecord* rule size:int success:boolean"),
        SchemaType("MatchRecord", "additionalInformation:AdditionalInformationMap* fieldDiffs:FieldDiff* matchConfidence:double record:sf:sObject!"),
        SchemaType("AdditionalInformationMap", "name value"),
        SchemaType("FieldDiff", "difference name"),
        SchemaType("SaveResult", "errors:Error* id:ID! success:boolean"),
        SchemaType("UpsertResult", "created:boolean errors:Error* id:ID! success:boolean"),
        SchemaType("DeleteResult", "errors:Error* id:ID! success:boolean"),
        SchemaType("UndeleteResult", "errors:Error* id:ID! success:boolean"),
        SchemaType("EmptyRecycleBinResult", "errors:Error* id:ID! success:boolean"),
        SchemaType("InvalidateSessionsResult", "errors:Error* success:boolean"),
        SchemaType("QueryResult", "done:boolean queryLocator:QueryLocator! records:sf:sObject*! size:int"),
        SchemaType("GetUpdatedResult", "ids:ID* latestDateCovered:dateTime"),
        SchemaType("DeletedRecord", "deletedDate:dateTime id:ID"),
        SchemaType("GetDeletedResult", "deletedRecords:DeletedRecord* earliestDateAvailable:dateTime latestDateCovered:dateTime"),
        SchemaType("GetServerTimestampResult", "timestamp:dateTime"),
        SchemaType("DescribeGlobalResult", "encoding! maxBatchSize:int sobjects:DescribeGlobalSObjectResult*"),
        SchemaType("DescribeGlobalSObjectResult", globalEntry),
        SchemaType("DescribeSObjectResult", object),
        SchemaType("Field", field),
        SchemaType("PicklistEntry", "active:boolean defaultValue:boolean label! validFor:base64Binary? value"),
        SchemaType("ChildRelationship", "cascadeDelete:boolean childSObject deprecatedAndHidden:boolean field junctionIdListNames* junctionReferenceTo* relationshipName? restrictedDelete:boolean?"),
        SchemaType("RecordTypeInfo", "available:boolean defaultRecordTypeMapping:boolean master:boolean name recordTypeId:ID!"),
        SchemaType("ScopeInfo", "label name"),
        SchemaType("NamedLayoutInfo", "name"),
        SchemaType("ActionOverride", "formFactor isAvailableInTouch:boolean name pageId:ID url!"),
        SchemaType("FilteredLookupInfo", "controllingFields* dependent:boolean optionalFilter:boolean"),
        SchemaType("LimitInfo", "current:int limit:int type"),
        SchemaType("OwnerChangeOption", "type execute:boolean"),
        SchemaType("PackageVersion", "majorNumber:int minorNumber:int namespace"),
        SchemaType("location", "latitude:double! longitude:double!"),
        SchemaType("address", "city! country! countryCode!? geocodeAccuracy! latitude:double!? longitude:double!? postalCode! state! stateCode!? street!"),
    ]

    static func type(_ name: String) -> SchemaType? { types.first { $0.name == name } ?? headers.first { $0.name == name } }

    /// All elements of a type, those of the type it extends first.
    static func elements(of name: String) -> [SchemaElement] {
        guard let type = type(name) else { return [] }
        return (type.base.map { elements(of: $0) } ?? []) + type.elements
    }

    /// Types that hold one text; the values of an open one grow with each release.
    static let simpleTypes: [(name: String, values: [String])] = [
        ("ID", []), ("QueryLocator", []), ("StatusCode", []),
        ("fieldType", [
            "string", "picklist", "multipicklist", "combobox", "reference", "base64", "boolean", "currency", "textarea", "int", "double",
            "percent", "phone", "id", "date", "datetime", "time", "url", "email", "encryptedstring", "datacategorygroupreference",
            "location", "address", "anyType", "complexvalue", "json", "long",
        ]),
        ("soapType", []),
    ]

    // MARK: Faults

    static let faults: [SchemaType] = [
        SchemaType("ApiFault", "exceptionCode exceptionMessage extendedErrorDetails:ExtendedErrorDetails*!"),
        SchemaType("ApiQueryFault", extends: "ApiFault", "row:int column:int"),
        SchemaType("LoginFault", extends: "ApiFault", ""),
        SchemaType("InvalidQueryLocatorFault", extends: "ApiFault", ""),
        SchemaType("InvalidNewPasswordFault", extends: "ApiFault", ""),
        SchemaType("InvalidIdFault", extends: "ApiFault", ""),
        SchemaType("UnexpectedErrorFault", extends: "ApiFault", ""),
        SchemaType("InvalidFieldFault", extends: "ApiQueryFault", ""),
        SchemaType("InvalidSObjectFault", extends: "ApiQueryFault", ""),
        SchemaType("MalformedQueryFault", extends: "ApiQueryFault", ""),
        SchemaType("MalformedSearchFault", extends: "ApiQueryFault", ""),
    ]

    /// True for faults that tell row and column.
    static func isQueryFault(_ name: String) -> Bool { faults.first { $0.name == name }?.base == "ApiQueryFault" || name == "ApiQueryFault" }
}
