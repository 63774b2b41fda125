"""What is known of a lease's owner decides who may take its table: the next writer, nobody, or a person first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.lake.errors import LeaseLostError, TableBusyError
from jobs.lake.run import Run
from jobs.lake.state import lease_owner, leases, objects
from jobs.lake.state.lease_owner import LIVE, Standing

TABLE = "silver.orders"
JOB = "daily/silver.orders run-1 #abc clear 0 try 1"
PERSON = Run("manual__1", "lease.break", subject=TABLE, job="by_hand/1")
FRESH, SILENT = timedelta(seconds=50), timedelta(seconds=61)

# Held, silent for, job, the job run's state -> what is known.
OWNERS = [
    (False, FRESH, "", None, Standing.GONE),
    (False, SILENT, JOB, "RUNNING", Standing.GONE),
    (True, FRESH, "", None, Standing.LIVE),
    (True, FRESH, JOB, None, Standing.LIVE),
    (True, FRESH, JOB, "FAILED", Standing.LIVE),
    *[(True, SILENT, JOB, state, Standing.LIVE) for state in LIVE],
    *[(True, SILENT, JOB, state, Standing.GONE) for state in ("SUCCESS", "FAILED", "CANCELLED", None)],
    (True, SILENT, "", None, Standing.UNKNOWN),
    (True, timedelta(days=30), "", None, Standing.UNKNOWN),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No job waits for another one."""
    monkeypatch.setattr(leases, "PATIENCE", timedelta(0))


def left(held: bool, silent_for: timedelta, job: str) -> tuple[dict[str, Any], str]:
    """Leaves a lease as an owner would, and gives it with its ETag."""
    known = {"table_name": TABLE, "dag_id": "daily", "run_id": "run-1", "step": TABLE, "owner": "o", "fencing": 7}
    moment = datetime.now(UTC) - silent_for
    objects.write_json(lease_owner.key(TABLE), {**known, "job": job, "held": held, "heartbeat_at": moment})
    found = objects.read_json_with_etag(lease_owner.key(TABLE))
    assert found
    return found


def next_writer_is_refused() -> bool:
    try:
        with leases.hold(Run("run-2", TABLE, job="another"), TABLE) as held:
            assert held[TABLE].fencing > 7
    except TableBusyError:
        return True
    return False


@pytest.mark.parametrize(("held", "silent_for", "job", "state", "known"), OWNERS)
def test_next_writer_gets_the_table_of_an_owner_that_is_gone_and_of_no_other(
    job_runs: dict[str, str], held: bool, silent_for: timedelta, job: str, state: str | None, known: Standing
) -> None:
    job_runs |= {"other": "RUNNING", **({job: state} if state else {})}
    body, _ = left(held, silent_for, job)

    assert lease_owner.standing(body) is known
    assert next_writer_is_refused() is (known is not Standing.GONE)


@pytest.mark.parametrize(("held", "silent_for", "job", "state", "known"), OWNERS)
def test_person_breaks_no_lease_of_a_live_owner(
    job_runs: dict[str, str], held: bool, silent_for: timedelta, job: str, state: str | None, known: Standing
) -> None:
    job_runs |= {job: state} if state else {}
    body, etag = left(held, silent_for, job)

    if known is Standing.LIVE:
        with pytest.raises(TableBusyError, match=r"Its lease was not broken\. Wait until it ends, or cancel it"):
            lease_owner.break_lease(PERSON, TABLE, body, etag)
        assert objects.read_json(lease_owner.key(TABLE)) == body
    else:
        assert lease_owner.break_lease(PERSON, TABLE, body, etag) == 8
        assert not next_writer_is_refused()


def test_waiting_job_is_told_what_a_person_has_to_do(lake: str) -> None:
    left(True, SILENT, "")

    with (
        pytest.raises(
            TableBusyError,
            match=r"by silver\.orders of run daily run-1 \(no job run\).* only a person can know .*"
            r"Nothing was written\. Find that process and end it; then run `run\.py lease\.break silver\.orders`",
        ),
        leases.hold(Run("run-2", TABLE), TABLE),
    ):
        pytest.fail("two writers")


def test_broken_lease_says_who_broke_it_and_whose_it_was_also_under_later_owners(lake: str) -> None:
    body, etag = left(True, SILENT, "")
    lease_owner.break_lease(PERSON, TABLE, body, etag)
    for number, fencing in ((2, 9), (3, 10)):
        with leases.hold(Run(f"run-{number}", TABLE), TABLE) as held:
            assert held[TABLE].fencing == fencing, "the number grows by the break too"

    broken = (objects.read_json(lease_owner.key(TABLE)) or {})["broken"]
    former = {name: body[name] for name in ("dag_id", "run_id", "step", "job", "heartbeat_at", "fencing")}
    assert datetime.now(UTC) - datetime.fromisoformat(broken.pop("at")) < timedelta(minutes=1)
    assert broken == {"dag_id": "by_hand", "run_id": "manual__1", "job": "by_hand/1", "of": former}


def test_owner_whose_lease_a_person_broke_commits_nothing_more(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        with leases.hold(Run("run-1", TABLE), TABLE) as held:
            body, etag = objects.read_json_with_etag(lease_owner.key(TABLE)) or ({}, "")
            monkeypatch.setattr(lease_owner, "STALE", timedelta(0))
            lease_owner.break_lease(PERSON, TABLE, body, etag)
            held[TABLE].renew()
            pytest.fail("it would commit")

    with pytest.raises(LeaseLostError, match="taken over or broken"):
        write()


def test_lease_that_was_renewed_since_the_person_looked_is_not_broken(lake: str) -> None:
    body, etag = left(True, SILENT, "")
    alive, _ = left(True, FRESH, "")

    with pytest.raises(TableBusyError, match=r"was renewed or taken a moment ago.* It was not broken"):
        lease_owner.break_lease(PERSON, TABLE, body, etag)
    assert objects.read_json(lease_owner.key(TABLE)) == alive
