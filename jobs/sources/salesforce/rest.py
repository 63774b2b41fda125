"""What we ask Salesforce by REST. The client logs in again by itself when a session ends during a read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from simple_salesforce.api import Salesforce

from jobs.lake.errors import SchemaContractError, TransientError

ROWS_PER_PAGE = 2000  # Salesforce's default and maximum


def check_fields(org: Salesforce, name: str, wanted: Collection[str]) -> None:
    """Makes sure that the user sees these fields of an object. Other fields don't matter.

    Raises:
        SchemaContractError: some are missing; the message names them.
    """
    description: Any = org.restful(f"sobjects/{name}/describe")
    described = {field["name"] for field in description["fields"]}
    missing = ", ".join(field for field in wanted if field not in described)
    if missing:
        raise SchemaContractError(
            f"salesforce: {name} has no field {missing} that the user can read. Nothing was written. If the "
            "permission was taken away, give the user read access to the field again; if the field was removed from "
            "Salesforce for good, remove it from FIELDS in the module of the bronze table."
        )


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
