"""Salesforce's accounts as text; the client itself is tested with the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError, SalesforceMalformedRequest

from jobs.bronze import salesforce_accounts
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.lake.run import Window
from tests.jobs.lakehouse import at

WINDOW = Window(at("2026-10-01"), at("2026-10-02"))


def sobject(**fields: Any) -> dict[str, Any]:
    """An account as REST gives it."""
    usual = dict.fromkeys(salesforce_accounts.FIELDS)
    return {**usual, "attributes": {"type": "Account"}, "Id": "001000000000001AAA", **fields}


class Org:
    """A logged-in client of an org with these accounts in the window, and so many in all."""

    def __init__(self, accounts: list[dict[str, Any]], in_all: int = 1) -> None:
        self.accounts, self.in_all, self.asked = accounts, in_all, list[str]()

    def query(self, soql: str, include_deleted: bool = False) -> dict[str, Any]:
        assert include_deleted
        return {"totalSize": len(self.accounts) if "WHERE" in soql else self.in_all}

    def query_all_iter(self, soql: str, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        assert include_deleted
        self.asked.append(soql)
        return iter(self.accounts)

    @property
    def bulk2(self) -> Org:
        return self

    @property
    def Account(self) -> Org:
        return self

    def query_all(self, soql: str, max_records: int) -> Iterator[str]:
        self.asked.append(soql)
        header = ",".join(f'"{field}"' for field in salesforce_accounts.FIELDS)
        for account in self.accounts:
            values = ",".join(f'"{_csv(account[field])}"' for field in salesforce_accounts.FIELDS)
            yield f"{header}\n{values}\n"


def _csv(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value).replace('"', '""')


def extracted(monkeypatch: pytest.MonkeyPatch, org: Org) -> list[dict[str, Any]]:
    monkeypatch.setattr(salesforce_accounts, "connect", lambda: org)
    return [row for batch in salesforce_accounts.extract(WINDOW) for row in batch.to_pylist()]


def test_columns_are_the_fields_in_snake_case() -> None:
    names = salesforce_accounts.SCHEMA.names

    assert {"id", "account_number", "billing_country", "system_modstamp", "is_deleted"} <= set(names)
    assert salesforce_accounts.ARROW.names == names


def test_paged_and_bulk_reads_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [sobject(IsDeleted=True, Name='O"Neil, "Ltd"', Type=""), sobject(NumberOfEmployees=12, Name="Ünï")]
    paged = extracted(monkeypatch, Org(accounts))
    monkeypatch.setattr(salesforce_accounts, "BULK_FROM", 2)

    assert extracted(monkeypatch, Org(accounts)) == paged
    assert [(row["is_deleted"], row["type"], row["number_of_employees"]) for row in paged] == [
        ("true", None, None),
        (None, None, "12"),
    ]


def test_window_is_half_open_and_pages_are_in_a_fixed_order(monkeypatch: pytest.MonkeyPatch) -> None:
    org = Org([sobject()])
    extracted(monkeypatch, org)

    assert org.asked[0].endswith(
        " WHERE SystemModstamp >= 2026-10-01T00:00:00Z AND SystemModstamp < 2026-10-02T00:00:00Z "
        "ORDER BY SystemModstamp, Id"
    )


def test_rows_come_in_batches_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesforce_accounts, "ROWS_PER_BATCH", 2)
    monkeypatch.setattr(salesforce_accounts, "connect", lambda: Org([sobject()] * 5))

    assert [batch.num_rows for batch in salesforce_accounts.extract(WINDOW)] == [2, 2, 1]


def test_window_without_accounts_is_no_error_in_an_org_that_has_some(monkeypatch: pytest.MonkeyPatch) -> None:
    assert extracted(monkeypatch, Org([], in_all=3)) == []


def test_org_without_any_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="there is not one Account"):
        extracted(monkeypatch, Org([], in_all=0))


def _refused(status: int, code: str) -> SalesforceError:
    return SalesforceError("url", status, "Account", [{"errorCode": code, "message": "m"}])


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (SalesforceAuthenticationFailed("INVALID_LOGIN", "m"), ConfigurationError, "INVALID_LOGIN"),
        (
            SalesforceMalformedRequest("url", 400, "Account", [{"errorCode": "INVALID_FIELD", "message": "m"}]),
            DataError,
            "INVALID_FIELD: m",
        ),
        (_refused(403, "REQUEST_LIMIT_EXCEEDED"), TransientError, "REQUEST_LIMIT_EXCEEDED"),
        (requests.ConnectionError("no route"), TransientError, "ConnectionError"),
    ],
    ids=["log-in", "query", "limit", "down"],
)
def test_error_of_the_client_names_the_source_and_its_kind(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[LakeError], says: str
) -> None:
    def connect() -> None:
        raise error

    monkeypatch.setattr(salesforce_accounts, "connect", connect)

    with pytest.raises(kind, match=f"^salesforce: .*{says}"):
        list(salesforce_accounts.extract(WINDOW))


def test_every_request_goes_to_the_endpoint_when_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter,
        "send",
        lambda self, request, **_: sent.append(request.url) or requests.Response(),
    )
    request = requests.Request("GET", "https://na1.salesforce.com/services/data/v59.0/query/?q=SELECT").prepare()

    salesforce_accounts._Endpoint("http://127.0.0.1:8104").send(request)

    assert sent == ["http://127.0.0.1:8104/services/data/v59.0/query/?q=SELECT"]
