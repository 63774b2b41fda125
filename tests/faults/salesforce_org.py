"""Accounts of an org, a read of them into staged parts, and the queries that the read sent to the org."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jobs.bronze import salesforce_accounts
from jobs.lake import staging, tables
from jobs.lake.errors import LakeError
from jobs.lake.extract import Request
from jobs.lake.run import Window
from jobs.sources.salesforce import rest
from tests.infra.local.sources.conftest import Org
from tests.jobs.lakehouse import ACCOUNTS, at

TABLE = tables.table(ACCOUNTS)
DAY = Window(at("2026-10-01"), at("2026-10-02"))
NEXT_DAY = Window(at("2026-10-02"), at("2026-10-03"))
NOON = "2026-10-01T12:00:00Z"
BEGIN = "SELECT COUNT() FROM Account WHERE Name = 'the test begins'"
Row = dict[str, Any]


def record(number: int, stamp: str = NOON, **fields: object) -> dict[str, object]:
    """An account as the org keeps it."""
    return {
        "Id": f"001{number:012d}AAA",
        "Name": f"n{number}",
        "CreatedDate": "2026-09-01T00:00:00Z",
        "SystemModstamp": stamp,
        **fields,
    }


def fill(org: Org, accounts: int) -> list[str]:
    """Accounts that were changed in the same second; their ids."""
    records = [record(number) for number in range(accounts)]
    org.put(*records)
    return [str(account["Id"]) for account in records]


def read(
    window: Window = DAY, *, find_deleted: bool = False, accept: tuple[str, ...] = ()
) -> tuple[list[Row], dict[str, Any]]:
    """The staged rows, in order, and the facts."""
    request = Request(TABLE, window, exact=not find_deleted, accept=accept)
    facts = staging.write(TABLE, window.batch_id, salesforce_accounts.extract(request)).facts
    return staged(window), facts


def staged(window: Window = DAY) -> list[Row]:
    names = salesforce_accounts.SCHEMA.names
    return [row for part in staging.read(TABLE, window.batch_id, names) for row in part.to_pylist()]


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def queries(org: Org) -> list[str]:
    """The queries of this test, those of Bulk 2.0 jobs included."""
    known = org.control("GET", "state")["queries"]
    return known[len(known) - known[::-1].index(BEGIN) :]


def bulk_jobs(org: Org) -> int:
    """How many Bulk 2.0 jobs read accounts: they are the queries without ORDER BY."""
    return sum(query.startswith("SELECT Id, AccountNumber") and "ORDER BY" not in query for query in queries(org))


def after_count(monkeypatch: pytest.MonkeyPatch, which: str, happens: Callable[[], object]) -> None:
    """Something happens in the org right after accounts with this condition, or all, were first counted."""
    real, done = rest.count, list[str]()

    def count(org: Any, name: str, where: str) -> int:
        found = real(org, name, where)
        if (which in where if which else not where) and not done:
            done.append(where)
            happens()
        return found

    monkeypatch.setattr(rest, "count", count)


def assert_fails(kind: type[LakeError], *words: str, **options: Any) -> None:
    with pytest.raises(kind) as caught:
        read(**options)
    assert type(caught.value) is kind
    for word in ("salesforce", "Nothing was written", *words):
        assert word in str(caught.value)
