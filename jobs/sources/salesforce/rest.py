"""What we ask Salesforce by REST. The client logs in again by itself when a session ends during a read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simple_salesforce.api import Salesforce

from jobs.lake.errors import SchemaContractError, TransientError
from jobs.sources.salesforce.sobject import SObject

ROWS_PER_PAGE = 2000  # Salesforce's default and maximum
# Salesforce's types of each kind that is not text.
_TYPES = {
    "integer": {"int", "long"},
    "number": {"int", "long", "double", "currency", "percent"},
    "boolean": {"boolean"},
    "time": {"datetime"},
    "others": {"date", "time", "base64", "address", "location", "complexvalue"},
}


def check_fields(org: Salesforce, sobject: SObject) -> None:
    """Makes sure that the user sees an object's fields, and that each has its kind. Other fields don't matter.

    Raises:
        SchemaContractError: some are missing, or of another kind; the message names them.
    """
    name = sobject.name
    description: Any = org.restful(f"sobjects/{name}/describe")
    described = {field["name"]: field.get("type") for field in description["fields"]}
    missing = ", ".join(field for field in sobject.fields if field not in described)
    if missing:
        raise SchemaContractError(
            f"salesforce: {name} has no field {missing} that the user can read. Nothing was written. If the "
            "permission was taken away, give the user read access to the field again. If the field was removed from "
            "Salesforce for good, remove it from FIELDS in the module of the bronze table, and name its column in "
            "RETIRED there: the table keeps the column, and new rows have null there."
        )
    others = [
        f"field {field} is {described[field]} and has to be {sobject.kinds.get(field, 'text')}"
        for field in sobject.fields
        if sobject.kinds and described[field] and not _is_of(described[field], sobject.kinds.get(field, "text"))
    ]
    if others:
        raise SchemaContractError(
            f"salesforce: {name}: {'; '.join(others)}. Nothing was written. If its type was changed on purpose, say so "
            "in KINDS in the module of the bronze table, and check that the silver table's reader can read it."
        )


def _is_of(salesforce_type: str, kind: str) -> bool:
    """Whether values of Salesforce's type are of a kind. As text counts whatever is of no other kind."""
    if kind == "text":
        return all(salesforce_type not in types for types in _TYPES.values())
    return salesforce_type in _TYPES[kind]


def count(org: Salesforce, name: str, where: str) -> int:
    """How many records of an object meet a condition, those in the recycle bin included."""
    return int(org.query(f"SELECT COUNT() FROM {name}{where}", include_deleted=True)["totalSize"])


def records(org: Salesforce, soql: str) -> Iterator[dict[str, Any]]:
    """A query's records, those in the recycle bin included, page by page.

    Raises:
        TransientError: fewer arrived than the result holds.
    """
    page = org.query(soql, include_deleted=True)
    total, arrived = int(page["totalSize"]), len(page["records"])
    yield from page["records"]
    while not page["done"]:
        page = org.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        arrived += len(page["records"])
        yield from page["records"]
    if arrived < total:
        raise TransientError(
            f"salesforce: a result of {total} records broke off after {arrived}. Nothing was written. Sluice "
            "will try again."
        )
