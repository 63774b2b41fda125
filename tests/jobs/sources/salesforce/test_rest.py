"""Reading by REST, in cases where the stand-in can't behave as an org does."""

from __future__ import annotations

from typing import Any, cast

import pytest
from simple_salesforce.api import Salesforce

from jobs.lake.errors import SchemaContractError, TransientError
from jobs.lake.schema import text
from jobs.sources.salesforce import rest
from jobs.sources.salesforce.sobject import Kind, SObject


class Org:
    """An org whose result has `total` records and comes in these pages."""

    def __init__(self, total: int, *pages: int) -> None:
        self.total, self.pages = total, list(pages)

    def query(self, soql: str, include_deleted: bool) -> dict[str, Any]:
        return self.query_more("first", identifier_is_url=True)

    def query_more(self, url: str, identifier_is_url: bool) -> dict[str, Any]:
        size = self.pages.pop(0)
        return {
            "totalSize": self.total,
            "records": [{"Id": str(number)} for number in range(size)],
            "done": not self.pages,
            "nextRecordsUrl": "next",
        }


class Described:
    """An org whose object has one field of a type."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def restful(self, path: str) -> dict[str, Any]:
        assert path == "sobjects/Account/describe"
        return {"fields": [{"name": "Thing", "type": self.kind}]}


NUMBERS = ("double", "currency", "percent")
TEXTS = (
    "id", "string", "picklist", "multipicklist", "textarea", "phone", "url", "email", "reference", "combobox",
    "encryptedstring", "anyType",
)  # fmt: skip
OF_KIND: dict[str, Kind | None] = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "number"),
    "int": "integer",
    "long": "integer",
    "boolean": "boolean",
    "datetime": "time",
    **dict.fromkeys(("date", "time", "base64", "address", "location"), None),
}


@pytest.mark.parametrize("kind", ["text", "number", "integer", "boolean", "time"])
@pytest.mark.parametrize("salesforce_type", OF_KIND)
def test_field_of_another_kind_than_its_module_says_is_refused(salesforce_type: str, kind: Kind) -> None:
    kinds: dict[str, Kind] = {"Other": "number"} if kind == "text" else {"Thing": kind}
    thing = SObject("Account", {"Thing": text("thing", "a thing")}, kinds)
    org = cast(Salesforce, Described(salesforce_type))

    if OF_KIND[salesforce_type] == kind or (kind == "number" and OF_KIND[salesforce_type] == "integer"):
        rest.check_fields(org, thing)
        return
    with pytest.raises(SchemaContractError, match=f"Account: field Thing is {salesforce_type} and has to be {kind}"):
        rest.check_fields(org, thing)


def test_object_that_names_no_kinds_is_not_judged_by_them() -> None:
    rest.check_fields(cast(Salesforce, Described("currency")), SObject("Account", {"Thing": text("thing", "a thing")}))


def read(org: Org) -> int:
    return len(list(rest.records(cast(Salesforce, org), "SELECT Id FROM Account")))


def test_result_that_breaks_off_is_never_accepted_as_complete() -> None:
    with pytest.raises(TransientError, match="a result of 5 records broke off after 4"):
        read(Org(5, 2, 2))


def test_page_without_records_is_not_the_end_of_a_result() -> None:
    assert read(Org(4, 2, 0, 2)) == 4
