"""Row 6: versions and describe, key by key as the wire reference lists them (2.3 to 2.5, 10.3)."""

import xml.etree.ElementTree as ET

import pytest

from support import clients
from support.checklist import PYFORCE, SIMPLE

GLOBAL_KEYS = set("""activateable associateEntityType associateParentEntity createable custom customSetting deepCloneable deletable
    deprecatedAndHidden feedEnabled hasSubtypes interfaceable isInterface isSubtype keyPrefix label labelPlural layoutable mergeable
    mruEnabled name queryable replicateable retrieveable searchable triggerable undeletable updateable urls""".split())
OBJECT_KEYS = GLOBAL_KEYS | set("""actionOverrides childRelationships compactLayoutable defaultImplementation extendedBy
    extendsInterfaces fields implementedBy implementsInterfaces listviewable lookupLayoutable namedLayoutInfos networkScopeFieldName
    recordTypeInfos searchLayoutable sobjectDescribeOption supportedScopes""".split())
FIELD_KEYS = set("""name label type soapType length byteLength precision scale digits nillable unique caseSensitive externalId idLookup
    createable updateable calculated calculatedFormula autoNumber defaultedOnCreate defaultValue defaultValueFormula compoundFieldName
    referenceTo relationshipName relationshipOrder polymorphicForeignKey referenceTargetField namePointing cascadeDelete restrictedDelete
    writeRequiresMasterRead nameField custom filterable sortable groupable aggregatable permissionable queryByDistance picklistValues
    restrictedPicklist dependentPicklist controllerName encrypted mask maskType htmlFormatted extraTypeInfo highScaleNumber
    displayLocationInDecimal searchPrefilterable deprecatedAndHidden inlineHelpText filteredLookupInfo aiPredictionField""".split())
CHILD_KEYS = set("""cascadeDelete childSObject deprecatedAndHidden field junctionIdListNames junctionReferenceTo relationshipName
    restrictedDelete""".split())

# 10.3; a "?" marks what may be missing, a "*" what may come any number of times.
SOAP_OBJECT = """actionOverrides*, activateable, childRelationships*, compactLayoutable, createable, custom, customSetting, deletable,
    deprecatedAndHidden, feedEnabled, fields*, hasSubtypes, idEnabled, isSubtype, keyPrefix, label, labelPlural, layoutable, mergeable,
    mruEnabled, name, namedLayoutInfos*, networkScopeFieldName, queryable, recordTypeInfos*, replicateable, retrieveable,
    searchLayoutable?, searchable, supportedScopes*, triggerable?, undeletable, updateable, urlDetail, urlEdit, urlNew"""
SOAP_FIELD = """aggregatable, autoNumber, byteLength, calculated, calculatedFormula?, cascadeDelete?, caseSensitive, compoundFieldName?,
    controllerName?, createable, custom, defaultValue?, defaultValueFormula?, defaultedOnCreate, dependentPicklist?, deprecatedAndHidden,
    digits, displayLocationInDecimal?, encrypted?, externalId?, extraTypeInfo?, filterable, filteredLookupInfo?, groupable,
    highScaleNumber?, htmlFormatted?, idLookup, inlineHelpText?, label, length, mask?, maskType?, name, nameField, namePointing?,
    nillable, permissionable, picklistValues*, polymorphicForeignKey, precision, queryByDistance, referenceTargetField?, referenceTo*,
    relationshipName?, relationshipOrder?, restrictedDelete?, restrictedPicklist, scale, searchPrefilterable, soapType, sortable?, type,
    unique, updateable, writeRequiresMasterRead?"""
SOAP_PICKLIST = "active, defaultValue, label, validFor?, value"
SOAP_CHILD = """cascadeDelete, childSObject, deprecatedAndHidden, field, junctionIdListNames*, junctionReferenceTo*, relationshipName?,
    restrictedDelete?"""
PARTNER = "{urn:partner.soap.sforce.com}"


def names(element):
    """The local names of an element's children, runs of one name taken as one."""
    found = []
    for child in element:
        name = child.tag.removeprefix(PARTNER)
        if found[-1:] != [name]:
            found.append(name)
    return found


def assert_sequence(element, schema):
    """That the children of `element` are those of the schema, in its order, with every one that must be there."""
    particles = [particle.strip() for particle in schema.split(",")]
    order = [particle.rstrip("?*") for particle in particles]
    found = names(element)
    assert found == [name for name in order if name in found], f"order or unknown elements of {element.tag}"
    required = [particle for particle in particles if particle[-1] not in "?*"]
    assert not [name for name in required if name not in found], f"missing in {element.tag}"


@pytest.mark.row(6, "versions need no token", SIMPLE)
def test_versions_are_listed_without_a_token_in_ascending_order(org):
    session = clients.Session(org)
    versions = session.get(f"{org.url}/services/data/").json()
    assert [set(version) for version in versions] == [{"label", "url", "version"}] * len(versions)
    numbers = [float(version["version"]) for version in versions]
    assert numbers == sorted(numbers) and 62.0 in numbers
    assert all(version["url"] == f"/services/data/v{version['version']}" for version in versions)


@pytest.mark.row(6, "versions need no token", SIMPLE)
def test_resources_of_a_version(sf):
    resources = sf.restful("")
    for name in ("sobjects", "query", "queryAll", "limits", "composite"):
        assert resources[name].startswith(f"/services/data/v62.0/{name}")


@pytest.mark.row(6, "describeGlobal has the keys of 2.4", SIMPLE)
def test_describe_global(sf):
    found = sf.describe()
    assert (found["encoding"], found["maxBatchSize"]) == ("UTF-8", 200)
    for entry in found["sobjects"]:
        assert GLOBAL_KEYS <= set(entry), entry["name"]
    account = next(entry for entry in found["sobjects"] if entry["name"] == "Account")
    assert account["keyPrefix"] == "001"
    assert account["urls"]["describe"] == "/services/data/v62.0/sobjects/Account/describe"
    assert account["urls"]["rowTemplate"] == "/services/data/v62.0/sobjects/Account/{ID}"


@pytest.mark.row(6, "describe has the keys of 2.5", SIMPLE)
def test_describe_of_an_object(sf):
    found = sf.Account.describe()
    assert not OBJECT_KEYS - set(found)
    assert found["childRelationships"] and all(CHILD_KEYS <= set(child) for child in found["childRelationships"])


@pytest.mark.row(6, "describe has the keys of 2.5", SIMPLE)
def test_basic_information_of_an_object(sf):
    found = sf.Account.metadata()
    assert set(found) == {"objectDescribe", "recentItems"} and GLOBAL_KEYS <= set(found["objectDescribe"])


@pytest.mark.row(6, "describe fields have the keys of 2.5", SIMPLE)
def test_describe_of_every_field_type(sf):
    fields = {field["name"]: field for field in sf.Everything__c.describe()["fields"]}
    for field in fields.values():
        assert not FIELD_KEYS - set(field), field["name"]
    assert (fields["Id"]["soapType"], fields["Id"]["length"]) == ("tns:ID", 18)
    assert (fields["Text__c"]["length"], fields["Text__c"]["byteLength"]) == (255, 765)
    assert (fields["Currency__c"]["precision"], fields["Currency__c"]["scale"], fields["Currency__c"]["length"]) == (18, 2, 0)
    assert fields["Account__c"]["referenceTo"] == ["Account"] and fields["Account__c"]["relationshipName"] == "Account__r"
    assert set(fields["Picklist__c"]["picklistValues"][0]) == {"active", "defaultValue", "label", "validFor", "value"}
    assert {"Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"} <= set(fields)


@pytest.mark.row(6, "SOAP describe in the order of 10.3", PYFORCE)
def test_soap_describe_is_in_the_order_of_the_schema(org):
    client = clients.soap(org)
    answers = []
    client.conn.hooks["response"].append(lambda answer, *_, **__: answers.append(answer))
    (described,) = client.describeSObjects(["Everything__c"])
    assert described.name == "Everything__c" and described.fields["Picklist__c"].type == "picklist"
    result = next(ET.fromstring(answers[-1].content).iter(f"{PARTNER}result"))
    assert_sequence(result, SOAP_OBJECT)
    for field in result.iter(f"{PARTNER}fields"):
        assert_sequence(field, SOAP_FIELD)
        for value in field.iter(f"{PARTNER}picklistValues"):
            assert_sequence(value, SOAP_PICKLIST)
    for child in result.iter(f"{PARTNER}childRelationships"):
        assert_sequence(child, SOAP_CHILD)
