"""Accounts that go out of sight, or come into it, are reported once; none that exists is ever taken for deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.bronze import salesforce_accounts
from jobs.lake import staging
from jobs.lake.errors import DataError, TransientError
from jobs.lake.run import Window
from jobs.sources.salesforce import budget, bulk, reading, rest
from tests.faults.salesforce_org import (
    DAY,
    NEXT_DAY,
    TABLE,
    Row,
    after_count,
    assert_fails,
    fill,
    ids,
    queries,
    read,
    record,
    staged,
)
from tests.infra.local.sources.conftest import Org
from tests.jobs.lakehouse import ACCOUNTS, at, put, request


def commit(window: Window, *earlier: Row) -> list[Row]:
    """Makes the window's staged rows and earlier rows the whole content of bronze; returns them."""
    lineage = {"_batch_id": window.batch_id, "_ingested_at": window.end}
    rows = [*earlier, *({**row, **lineage} for row in staged(window))]
    put(ACCOUNTS, rows)
    staging.clear(TABLE, window.batch_id)
    return rows


def committed(org: Org, accounts: int) -> tuple[list[str], list[Row]]:
    """An org whose accounts are all in bronze."""
    known = fill(org, accounts)
    read()
    return known, commit(DAY)


def test_account_that_was_deleted_for_good_gets_a_row_of_its_own(org: Org) -> None:
    known, bronze = committed(org, 3)
    org.control("POST", "records/purge", {"ids": known[1:2]})
    org.put(record(7, "2026-10-02T08:00:00Z", CreatedDate="2026-10-02T08:00:00Z"))

    rows, facts = read(NEXT_DAY, find_deleted=True)

    assert ids(rows) == ["001000000000007AAA", known[1]]
    last = {name: value for name, value in bronze[1].items() if name[0] != "_"}
    assert rows[1] == {**last, "is_deleted": "true"}
    assert facts == {"source_rows": 1, "arrived_rows": 1, "hard_deleted": 1}
    assert len(read(NEXT_DAY)[0]) == 1


def test_accounts_that_changed_since_the_window_are_left_to_the_next_one(org: Org) -> None:
    committed(org, 3)
    org.put(record(0, "2026-10-09T00:00:00Z"), record(8, "2026-10-09T00:00:00Z", CreatedDate="2026-10-09T00:00:00Z"))

    rows, facts = read(NEXT_DAY, find_deleted=True)

    assert rows == []
    assert facts == {"source_rows": 0, "arrived_rows": 0, "hard_deleted": 0}


def test_one_account_that_goes_and_one_that_comes_are_both_found(org: Org) -> None:
    """Counts can't tell it: there are as many as before."""
    known, _ = committed(org, 3)
    org.control("POST", "records/purge", {"ids": known[:1]})
    org.put(record(7, "2026-09-15T00:00:00Z"))

    rows, facts = read(NEXT_DAY, find_deleted=True)

    assert [(row["id"], row["is_deleted"]) for row in rows] == [(known[0], "true"), (record(7)["Id"], "false")]
    assert (facts["hard_deleted"], facts["read_by_id"]) == (1, 1)


def test_account_that_was_out_of_sight_for_a_day_becomes_live_again(org: Org) -> None:
    known, bronze = committed(org, 3)
    org.control("POST", "records/purge", {"ids": known[:1]})
    assert [row["is_deleted"] for row in read(NEXT_DAY, find_deleted=True)[0]] == ["true"]
    bronze = commit(NEXT_DAY, *bronze)
    org.put(record(0))

    day = Window(at("2026-10-03"), at("2026-10-04"))
    rows, facts = read(day, find_deleted=True)

    assert [(row["id"], row["is_deleted"], row["system_modstamp"][:19]) for row in rows] == [
        (known[0], "false", "2026-10-01T12:00:00")
    ]
    assert facts == {"source_rows": 0, "arrived_rows": 0, "hard_deleted": 0, "read_by_id": 1}
    commit(day, *bronze)
    assert read(Window(at("2026-10-04"), at("2026-10-05")), find_deleted=True)[0] == []


OLD = "2026-09-15T00:00:00Z"
SEEN = {
    "new to us": (record(8, OLD), [8]),
    "new, and in the recycle bin": (record(8, OLD, IsDeleted=True), [8]),
    "stamped after what is held, before the window": (record(0, "2026-10-01T13:00:00Z"), [0]),
    "put into the recycle bin without a new time": (record(0, IsDeleted=True), [0]),
    "as it is held": (record(0, Name="another name"), []),
    "at the end of the window": (record(8, "2026-10-03T00:00:00Z"), []),
    "just before it": (record(8, "2026-10-02T23:59:59.999Z"), [8]),
}


@pytest.mark.parametrize("large", [False, True], ids=["by REST", "in bulk"])
def test_account_that_comes_into_sight_with_an_old_time_is_read_by_its_id(
    org: Org, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr(bulk, "FROM_ROWS", 1)
        monkeypatch.setattr(bulk, "FIRST_LOOK", 0.01)
    for seen, numbers in SEEN.values():
        org.control("POST", "records/purge", {})
        committed(org, 3)
        org.put(seen)

        assert ids(read(NEXT_DAY, find_deleted=True)[0]) == [record(number)["Id"] for number in numbers], seen
        staging.clear(TABLE, NEXT_DAY.batch_id)


def test_many_accounts_that_come_into_sight_are_read_in_calls_of_limited_length(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "IDS_PER_QUERY", 4)
    committed(org, 1)
    org.put(*(record(number, OLD) for number in range(10, 20)))

    assert read(NEXT_DAY, find_deleted=True)[1]["read_by_id"] == 10
    assert sum("WHERE Id IN" in query for query in queries(org)) == 3


def test_account_that_changes_between_count_and_list_is_never_taken_for_deleted(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = committed(org, 5)
    org.control("POST", "records/purge", {"ids": known[:1]})

    def meanwhile() -> None:
        org.put(record(1, "2026-10-09T00:00:00Z"))
        org.control("POST", "records/delete", {"ids": known[2:3], "at": "2026-10-09T00:00:00Z"})
        org.put(record(9, "2026-10-09T00:00:00Z"))
        org.control("POST", "records/purge", {"ids": known[3:4]})

    after_count(monkeypatch, "", meanwhile)
    org.control("PATCH", "settings", {"page_size": 2})

    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == [known[0], known[3]]


def test_account_in_the_recycle_bin_is_not_gone(org: Org) -> None:
    known, _ = committed(org, 2)
    org.control("POST", "records/delete", {"ids": known[:1], "at": "2026-10-09T00:00:00Z"})

    assert read(NEXT_DAY, find_deleted=True)[0] == []


def test_account_that_is_deleted_right_after_it_was_read_gets_its_row_in_the_same_batch(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = committed(org, 2)
    org.put(record(0, "2026-10-02T08:00:00Z", Name="newer"))
    real = rest.records

    def records(client: Any, soql: str) -> Iterator[Row]:
        yield from real(client, soql)
        if "SystemModstamp" in soql:
            org.control("POST", "records/purge", {"ids": known[:1]})

    monkeypatch.setattr(rest, "records", records)
    rows, _ = read(NEXT_DAY, find_deleted=True)

    assert [(row["id"], row["name"], row["is_deleted"]) for row in rows] == [
        (known[0], "newer", "false"),
        (known[0], "newer", "true"),
    ]


def test_deleted_account_is_reported_once_and_again_when_its_window_is_read_again(org: Org) -> None:
    known, bronze = committed(org, 2)
    org.control("POST", "records/purge", {"ids": known[:1]})
    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == known[:1]
    commit(NEXT_DAY, *bronze)

    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == known[:1]
    assert read(Window(at("2026-10-03"), at("2026-10-04")), find_deleted=True)[0] == []


def test_loss_of_many_accounts_is_refused_unless_it_is_accepted(org: Org) -> None:
    known, _ = committed(org, 12)
    org.control("POST", "records/purge", {"ids": known[:11]})

    assert_fails(DataError, "11 of 12", "sharing", "fewer_rows", window=NEXT_DAY, find_deleted=True)
    assert ids(read(NEXT_DAY, find_deleted=True, accept=("fewer_rows",))[0]) == known[:11]


def test_ids_of_a_large_org_are_listed_by_a_bulk_job(org: Org, in_bulk: None) -> None:
    known, _ = committed(org, 5)
    org.control("POST", "records/purge", {"ids": known[:1]})

    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == known[:1]
    assert queries(org)[-1] == "SELECT Id, SystemModstamp, IsDeleted FROM Account"


def test_ids_are_not_listed_when_too_few_api_calls_are_left(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    known, _ = committed(org, 5)
    org.control("POST", "records/purge", {"ids": known[:1]})
    after_count(monkeypatch, "", lambda: org.control("PATCH", "settings", {"calls_used": 95_000}))

    assert_fails(TransientError, "4999 of 100000", f"needs {budget.by_rest(4)}", window=NEXT_DAY, find_deleted=True)


@pytest.mark.parametrize("exact", [False, True])
def test_backfills_never_look_for_deleted_accounts(org: Org, exact: bool) -> None:
    known, _ = committed(org, 2)
    org.control("POST", "records/purge", {"ids": known[:1]})

    rows = salesforce_accounts.extract(request(ACCOUNTS, NEXT_DAY, exact=exact))
    staging.write(TABLE, NEXT_DAY.batch_id, rows)

    assert ids(staged(NEXT_DAY)) == ([] if exact else known[:1])
