"""Salesforce's accounts as text; the client itself is tested with the stand-in, in tests/faults."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from infra.local.sources.salesforce.fields import STANDARD_FIELDS
from jobs.bronze import salesforce_accounts
from jobs.lake.errors import DataError
from jobs.lake.run import Window
from jobs.sources.salesforce import client, extract
from tests.jobs.lakehouse import ACCOUNTS, at, request

WINDOW = Window(at("2026-10-01"), at("2026-10-02"))


def sobject(**fields: Any) -> dict[str, Any]:
    """An account as REST returns it."""
    usual = dict.fromkeys(salesforce_accounts.FIELDS)
    return {**usual, "attributes": {"type": "Account"}, "Id": "001000000000001AAA", **fields}


class Org:
    """A logged-in client of an org with these accounts in the window, and a number of accounts in all."""

    def __init__(self, accounts: list[dict[str, Any]], in_all: int = 1) -> None:
        self.accounts, self.in_all, self.asked = accounts, in_all, list[str]()

    def restful(self, path: str) -> dict[str, Any]:
        return {"fields": [field.describe() for field in STANDARD_FIELDS]}

    def limits(self) -> dict[str, Any]:
        return {"DailyApiRequests": {"Max": 1000, "Remaining": 1000}}

    def query(self, soql: str, include_deleted: bool = False) -> dict[str, Any]:
        assert include_deleted
        self.asked.append(soql)
        if "COUNT()" in soql:
            return {"totalSize": len(self.accounts) if "WHERE" in soql else self.in_all}
        return {"totalSize": len(self.accounts), "done": True, "records": self.accounts}


def parts(monkeypatch: pytest.MonkeyPatch, org: Org, window: Window = WINDOW) -> list[pa.Table]:
    monkeypatch.setattr(client, "connect", lambda: org)
    found = list(salesforce_accounts.extract(request(ACCOUNTS, window, exact=True)))
    assert all(isinstance(part, pa.Table) for part in found)
    return found


def test_columns_are_the_fields_in_snake_case() -> None:
    names = salesforce_accounts.SCHEMA.names

    assert {"id", "account_number", "billing_country", "system_modstamp", "is_deleted"} <= set(names)
    assert salesforce_accounts.ACCOUNT.arrow.names == names


def test_every_value_is_text_and_no_value_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    (part,) = parts(monkeypatch, Org([sobject(IsDeleted=True, Type="", NumberOfEmployees=12, AnnualRevenue=1.5)]))

    (row,) = part.to_pylist()
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": "001000000000001AAA",
        "is_deleted": "true",
        "number_of_employees": "12",
        "annual_revenue": "1.5",
    }


@pytest.mark.parametrize(
    ("window", "condition"),
    [
        (WINDOW, "SystemModstamp >= 2026-10-01T00:00:00Z AND SystemModstamp < 2026-10-02T00:00:00Z"),
        (Window(None, WINDOW.end), "SystemModstamp < 2026-10-02T00:00:00Z"),
    ],
    ids=["interval", "from the beginning"],
)
def test_window_is_half_open_and_pages_are_in_a_fixed_order(
    monkeypatch: pytest.MonkeyPatch, window: Window, condition: str
) -> None:
    org = Org([sobject()])
    parts(monkeypatch, org, window)

    assert org.asked[0] == f"SELECT COUNT() FROM Account WHERE {condition}"
    assert org.asked[1].endswith(f" FROM Account WHERE {condition} ORDER BY SystemModstamp, Id")


def test_rows_come_in_parts_of_limited_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "ROWS_PER_PART", 2)

    assert [part.num_rows for part in parts(monkeypatch, Org([sobject()] * 5))] == [2, 2, 1]


def test_window_without_accounts_is_not_an_error_in_an_org_that_has_some(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts(monkeypatch, Org([], in_all=3)) == []


def test_org_without_any_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="there is not one Account"):
        parts(monkeypatch, Org([], in_all=0))
