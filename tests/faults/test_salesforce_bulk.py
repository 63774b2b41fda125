"""Large windows are read by Bulk 2.0 to the same rows, whatever becomes of the session or the job."""

from __future__ import annotations

import pytest

from jobs.lake.errors import TransientError
from jobs.sources.salesforce import bulk
from tests.faults.salesforce_org import Row, assert_fails, bulk_jobs, fill, ids, read, record
from tests.infra.local.sources.conftest import Org


def test_bulk_and_paged_reads_give_the_same_rows(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    org.put(
        record(0, Name='O"Neil, "Ltd"\nsecond line', Type="", NumberOfEmployees=12),
        record(1, Name="Ünï", AnnualRevenue=1.5, IsDeleted=True),
    )
    paged, _ = read()
    monkeypatch.setattr(bulk, "FROM_ROWS", 1)
    in_bulk, _ = read()

    def without_zone(rows: list[Row]) -> list[Row]:
        return [{name: value and value.replace("+0000", "Z") for name, value in row.items()} for row in rows]

    assert bulk_jobs(org) == 1
    assert without_zone(in_bulk) == without_zone(paged)
    assert [(row["is_deleted"], row["type"], row["number_of_employees"]) for row in paged] == [
        ("false", None, "12"),
        ("true", None, None),
    ]


def test_session_that_ends_between_pages_of_a_bulk_read_is_renewed(org: Org, in_bulk: None) -> None:
    known = fill(org, 5)
    for _ in range(2):
        org.control("POST", "fail", {"kind": "expired_session", "path": "/results", "after": 1})

    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 1


def test_session_that_ends_again_and_again_is_given_up_and_the_next_attempt_goes_on(org: Org, in_bulk: None) -> None:
    known = fill(org, 5)
    org.control("POST", "fail", {"kind": "expired_session", "path": "/results", "after": 1, "calls": 99})

    assert_fails(TransientError, "INVALID_SESSION_ID")
    (left,) = org.control("GET", "state")["faults"]
    assert 99 - left["calls"] == 1 + bulk.LOG_INS
    org.control("DELETE", "fail")
    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 1


def test_bulk_job_that_fails_is_named_and_the_next_attempt_makes_a_new_one(org: Org, in_bulk: None) -> None:
    known = fill(org, 3)
    org.control("POST", "fail", {"kind": "bulk_failure"})

    assert_fails(TransientError, "ended as Failed", "Bulk Data Load Jobs")
    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 2


def test_bulk_job_that_is_not_ready_in_time_is_waited_for_by_the_next_attempt(
    org: Org, in_bulk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = fill(org, 3)
    org.control("PATCH", "settings", {"bulk_polls": 3})
    monkeypatch.setattr(bulk, "FIRST_LOOK", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "WAIT_LIMIT", -1)
        assert_fails(TransientError, "InProgress after", "same job")

    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 1
