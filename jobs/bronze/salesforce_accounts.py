"""Salesforce accounts as text, deleted ones included."""

from __future__ import annotations

from jobs.lake.extract import Request, SourceRows
from jobs.lake.schema import Class, text
from jobs.sources.salesforce import extract as salesforce
from jobs.sources.salesforce.sobject import Kind, SObject, column_name

FIELDS: dict[str, tuple[str, Class]] = {
    "Id": ("Salesforce record id", "internal"),
    "AccountNumber": ("number that orders carry as customer id", "confidential"),
    "Name": ("account name", "confidential"),
    "Type": ("account type", "internal"),
    "Industry": ("industry", "internal"),
    "BillingCountry": ("country of the billing address", "internal"),
    "AnnualRevenue": ("annual revenue, US dollars", "confidential"),
    "NumberOfEmployees": ("employees", "internal"),
    "CreatedDate": ("when created, UTC", "internal"),
    "LastModifiedDate": ("when a user last changed it, UTC", "internal"),
    "SystemModstamp": ("when anything last changed it, UTC", "internal"),
    "IsDeleted": ("true when in the recycle bin, or gone for good", "internal"),
}
# What silver takes the text of a field for; the other fields are text in Salesforce too.
KINDS: dict[str, Kind] = {
    "AnnualRevenue": "number",
    "NumberOfEmployees": "integer",
    "CreatedDate": "time",
    "LastModifiedDate": "time",
    "SystemModstamp": "time",
    "IsDeleted": "boolean",
}
ACCOUNT = SObject("Account", {field: text(column_name(field), *says) for field, says in FIELDS.items()}, KINDS)
SCHEMA = ACCOUNT.schema


def extract(request: Request) -> SourceRows:
    """The window's accounts (`salesforce.read` says what it costs and what it refuses)."""
    return salesforce.read(ACCOUNT, request)
