"""Models of a shop on Heroku Connect, one field type of the package each where Salesforce has it."""

from django.db.models import DO_NOTHING

from heroku_connect.db.models import READ_ONLY, READ_WRITE, HerokuConnectModel
from heroku_connect.db.models import fields as sf
from heroku_connect.db.models.related import Lookup

INDUSTRIES = [("Banking", "Banking"), ("Energy", "Energy")]


class Account(HerokuConnectModel):
    sf_object_name = "Account"
    sf_access = READ_WRITE

    name = sf.Text(sf_field_name="Name", max_length=255)
    external_id = sf.ExternalID(sf_field_name="ExternalId__c")
    annual_revenue = sf.Currency(sf_field_name="AnnualRevenue", max_digits=18, decimal_places=2)
    employees = sf.Number(sf_field_name="NumberOfEmployees", max_digits=8, decimal_places=0)
    phone = sf.Phone(sf_field_name="Phone")
    industry = sf.Picklist(sf_field_name="Industry", choices=INDUSTRIES)
    description = sf.TextAreaLong(sf_field_name="Description")
    created_date = sf.DateTime(sf_field_name="CreatedDate")
    parent = Lookup("self", sf_field_name="ParentId", to_field="sf_id", on_delete=DO_NOTHING)


class Contact(HerokuConnectModel):
    sf_object_name = "Contact"
    sf_access = READ_WRITE

    last_name = sf.Text(sf_field_name="LastName", max_length=80)
    first_name = sf.Text(sf_field_name="FirstName", max_length=40)
    email = sf.Email(sf_field_name="Email")
    phone = sf.Phone(sf_field_name="Phone")
    mobile_phone = sf.Phone(sf_field_name="MobilePhone")
    birthdate = sf.Date(sf_field_name="Birthdate")
    external_id = sf.ExternalID(sf_field_name="ExternalId__c")
    account = Lookup(Account, sf_field_name="AccountId", to_field="sf_id", on_delete=DO_NOTHING, related_name="contacts")
    account_key = sf.Text(sf_field_name="Account__ExternalId__c", max_length=64)


class User(HerokuConnectModel):
    """Has no IsDeleted, and its table's name is a reserved word."""
    sf_object_name = "User"
    sf_access = READ_ONLY

    username = sf.Text(sf_field_name="Username", max_length=80)


class Everything(HerokuConnectModel):
    sf_object_name = "Everything__c"
    sf_access = READ_WRITE

    name = sf.Text(sf_field_name="Name", max_length=80)
    external_id = sf.ExternalID(sf_field_name="ExternalId__c")
    any_type = sf.AnyType(sf_field_name="Any__c")
    checkbox = sf.Checkbox(sf_field_name="Checkbox__c")
    number = sf.Number(sf_field_name="Number__c", max_digits=18, decimal_places=4)
    whole_number = sf.Number(sf_field_name="Integer__c", max_digits=9, decimal_places=0)
    currency = sf.Currency(sf_field_name="Currency__c", max_digits=18, decimal_places=2)
    percent = sf.Percent(sf_field_name="Percent__c", max_digits=5, decimal_places=2)
    date = sf.Date(sf_field_name="Date__c")
    date_time = sf.DateTime(sf_field_name="Date_Time__c")
    time = sf.Time(sf_field_name="Time__c")
    email = sf.Email(sf_field_name="Email__c")
    encrypted = sf.EncryptedString(sf_field_name="Encrypted__c", max_length=175)
    phone = sf.Phone(sf_field_name="Phone__c")
    picklist = sf.Picklist(sf_field_name="Picklist__c", choices=[("A", "A"), ("B", "B")])
    multi = sf.Text(sf_field_name="Multi__c", max_length=4099)
    text = sf.Text(sf_field_name="Text__c", max_length=255)
    text_area = sf.TextArea(sf_field_name="Text_Area__c")
    long_text = sf.TextAreaLong(sf_field_name="Long_Text__c")
    rich_text = sf.TextAreaLong(sf_field_name="Rich_Text__c")
    url = sf.URL(sf_field_name="Url__c")
    account = Lookup(Account, sf_field_name="Account__c", to_field="sf_id", on_delete=DO_NOTHING)
