"""The ledger's records come from commits alone, so that the next step repairs a kill between the two."""

from __future__ import annotations

import pytest

from jobs.lake.delta.commit_record import Counts
from jobs.lake.run import utc
from jobs.lake.state import ledger, objects
from tests.jobs.lakehouse import killed_at, put, silver_order, version

TABLE = "silver.orders"


def commit(run_id: str, **counts: int) -> int:
    """A commit that carries its counts, as every step makes it."""
    facts = {"run_id": run_id, "dag_id": "daily", "step": TABLE, "code": "c", "inputs": {"bronze.snowflake_orders": 3}}
    return put(TABLE, [silver_order()], **facts, counts=vars(Counts(**counts)))


def test_record_says_what_went_in_and_what_became_of_it(lake: str) -> None:
    made = commit("run-1", read=5, written=2, unchanged=1, superseded=1, quarantined=1)

    ledger.record(TABLE)

    found = objects.read_json(f"ops/run_ledger/silver.orders/{made:020d}.json")
    expected = {
        "table_name": TABLE,
        "dag_id": "daily",
        "run_id": "run-1",
        "step": TABLE,
        "output_version": made,
        "read": 5,
        "written": 2,
    }
    assert expected.items() <= found.items()
    assert found["inputs"] == {"bronze.snowflake_orders": 3}
    assert utc(found["committed_at"]).isoformat() == found["committed_at"], "with a T, as Athena reads it"


def test_record_lost_between_commit_and_ledger_is_made_by_the_next_step(
    lake: str,
) -> None:
    commit("run-1", read=1, written=1)
    ledger.record(TABLE)
    lost = commit("run-2", read=2, written=2)
    with killed_at(objects, "write_json"):
        ledger.record(TABLE)
    put(TABLE, [silver_order()])  # housekeeping commits without counts

    ledger.record(TABLE)

    assert objects.read_json(ledger.key(TABLE, lost))["run_id"] == "run-2"
    assert objects.read_json(ledger.key(TABLE, version(TABLE))) is None


def test_existing_records_are_not_written_again(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("run-1", read=1, written=1)
    ledger.record(TABLE)
    monkeypatch.setattr(objects, "write_json", lambda *_: pytest.fail("written again"))

    ledger.record(TABLE)


def test_table_that_does_not_exist_has_no_records(lake: str) -> None:
    ledger.record(TABLE)

    assert objects.read_json(ledger.key(TABLE, 0)) is None
