"""The ledger's records come from commits alone, so that a later step repairs any kill, wherever it left a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import Counts
from jobs.lake.run import utc
from jobs.lake.state import ledger, objects, recorded
from tests.jobs.lakehouse import killed_at, newest, put, silver_order

TABLE = "silver.orders"
URI_OF = "silver/orders/"


def commit(run_id: str, read: int = 1, **metadata: Any) -> log.Commit:
    """A commit that carries its counts, as every step makes it."""
    counts = metadata.pop("counts", vars(Counts(read=read, written=read)))
    facts = {"run_id": run_id, "dag_id": "daily", "step": TABLE, "code": "c", "inputs": {"bronze.snowflake_orders": 3}}
    put(TABLE, [silver_order()], **{**facts, **metadata}, counts=counts)
    return newest(TABLE)


def optimize() -> None:
    put(TABLE, [silver_order()])  # housekeeping commits without counts


def entries() -> list[dict[str, Any]]:
    """Every record of the table, by version."""
    keys = [key for key in objects.keys("ops/run_ledger/") if f"/{TABLE}/" in key]
    return sorted((objects.read_json(key) for key in keys), key=lambda entry: int(entry["output_version"]))


def total(name: str = "read") -> int:
    return sum(entry[name] for entry in entries())


def test_record_says_what_went_in_and_what_became_of_it(lake: str) -> None:
    made = commit("run-1", counts=vars(Counts(read=5, written=2, unchanged=1, superseded=1, quarantined=1)))

    ledger.record(TABLE)

    found = objects.read_json(ledger.key(TABLE, made))
    expected = {
        "table_name": TABLE,
        "dag_id": "daily",
        "run_id": "run-1",
        "step": TABLE,
        "output_version": made.version,
        "read": 5,
        "written": 2,
        "table_rows": 1,
    }
    assert expected.items() <= found.items()
    assert found["inputs"] == {"bronze.snowflake_orders": 3}
    assert utc(found["committed_at"]).isoformat() == found["committed_at"], "with a T, as Athena reads it"


def test_record_is_in_the_folder_of_its_commits_own_day(lake: str) -> None:
    made = commit("run-1")

    ledger.record(TABLE)

    (key,) = objects.keys("ops/run_ledger/")
    assert key == ledger.key(TABLE, made)
    assert key.startswith(f"ops/run_ledger/day={made.time:%Y-%m-%d}/silver.orders/{made.version:020d}-")


def test_record_lost_between_commit_and_ledger_is_made_by_the_next_step(
    lake: str,
) -> None:
    commit("run-1")
    ledger.record(TABLE)
    lost = commit("run-2", read=2)
    with killed_at(objects, "write_json"):
        ledger.record(TABLE)
    optimize()

    ledger.record(TABLE)

    assert objects.read_json(ledger.key(TABLE, lost))["run_id"] == "run-2"
    assert objects.read_json(ledger.key(TABLE, newest(TABLE))) is None


def killed_after(records: int, monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """The process that records is killed when it has written so many records."""
    written, real = [], objects.write_json

    def write(key: str, value: Any) -> str:
        if len(written) == records:
            raise InterruptedError("killed")
        written.append(key)
        return real(key, value)

    with monkeypatch.context() as patch:
        patch.setattr(objects, "write_json", write)
        with pytest.raises(InterruptedError):
            _record(stream)


def _record(stream: bool) -> None:
    (ledger.record_stream if stream else ledger.record)(TABLE)


@pytest.mark.parametrize("stream", [False, True], ids=["batches", "stream"])
@pytest.mark.parametrize("records", [0, 1, 2, 3])
def test_kill_while_records_are_written_loses_and_doubles_none(
    lake: str, monkeypatch: pytest.MonkeyPatch, records: int, stream: bool
) -> None:
    commit("run-0")
    _record(stream)
    for number in range(1, 4):
        commit(f"run-{number}", read=number)

    killed_after(records, monkeypatch, stream)
    commit("run-4", read=4)
    _record(stream)

    assert [entry["run_id"] for entry in entries()] == [f"run-{number}" for number in range(5)]
    assert total() == 1 + 1 + 2 + 3 + 4


@pytest.mark.parametrize("stream", [False, True], ids=["batches", "stream"])
def test_gap_behind_a_record_that_came_by_other_means_is_filled(lake: str, stream: bool) -> None:
    commit("run-1")
    _record(stream)
    for _ in range(2):
        commit("run-2")
    later = commit("run-3")
    objects.write_json(
        ledger.key(TABLE, later), {"output_version": later.version, "committed_at": later.time, "read": 1}
    )
    commit("run-4")

    _record(stream)

    assert total() == 5
    assert total("output_version") == (0 + 2 + 3 + 4 if stream else 0 + 1 + 2 + 3 + 4)


def test_gap_is_found_once_more_if_the_mark_is_lost(lake: str) -> None:
    made = [commit("run-1") for _ in range(4)]
    ledger.record(TABLE)
    objects.delete(ledger.key(TABLE, made[1]))
    objects.delete_prefix("ops/recorded/")

    ledger.record(TABLE)

    assert len(entries()) == 4


def test_restored_tables_commits_keep_their_records_and_new_ones_come(lake: str) -> None:
    commit("run-1")
    commit("run-2")
    log.open_table(settings.lake().uri(TABLE)).restore(0)
    commit("run-3")

    ledger.record(TABLE)

    assert [entry["run_id"] for entry in entries()] == ["run-1", "run-2", "run-3"]


@pytest.mark.parametrize("first", [1, 4], ids=["before the old mark", "beyond the old mark"])
def test_table_that_was_dropped_and_created_again_on_the_same_day_gets_records_of_its_own(
    lake: str, first: int
) -> None:
    for number in range(3):
        commit(f"old-{number}")
    ledger.record(TABLE)
    objects.delete_prefix(URI_OF)
    for number in range(5):
        commit(f"new-{number}")
        if number == first:
            ledger.record(TABLE)
    ledger.record(TABLE)

    assert sorted(entry["run_id"] for entry in entries()) == sorted(
        [f"old-{number}" for number in range(3)] + [f"new-{number}" for number in range(5)]
    )


def test_record_that_release_0_1_0_wrote_outside_of_a_day_is_found_and_a_stream_sums_from_there(lake: str) -> None:
    for _ in range(3):
        made = commit("run-1")
    first = {"output_version": made.version, "committed_at": str(made.time), "commits": 3, "read": 3}
    objects.write_json(f"ops/run_ledger/{TABLE}/{made.version:020d}.json", first)
    commit("run-1", read=7)

    ledger.record_stream(TABLE)

    assert [(entry["commits"], entry["read"]) for entry in entries()] == [(3, 3), (1, 7)]


def test_record_that_release_0_1_0_wrote_of_a_table_that_was_dropped_is_not_taken_for_this_ones(lake: str) -> None:
    made = commit("run-1")
    other = {"output_version": made.version, "committed_at": "2026-01-01 10:00:00+00:00", "read": 9}
    objects.write_json(f"ops/run_ledger/{TABLE}/{made.version:020d}.json", other)

    ledger.record(TABLE)

    assert objects.read_json(ledger.key(TABLE, made))["run_id"] == "run-1"


def test_log_that_was_cleaned_hides_no_later_commit(lake: str) -> None:
    """Nobody can count the rows of a version whose checkpoint and entries are gone."""
    for number in range(6):
        commit(f"run-{number}")
        if number in (2, 5):
            log.open_table(settings.lake().uri(TABLE)).create_checkpoint()
    for number in (0, 1, 2):
        objects.delete(f"{URI_OF}_delta_log/{number:020d}.json")
    objects.delete(f"{URI_OF}_delta_log/{2:020d}.checkpoint.parquet")

    ledger.record(TABLE)

    assert [(entry["run_id"], entry["table_rows"]) for entry in entries()] == [
        ("run-3", None), ("run-4", None), ("run-5", 1)
    ]  # fmt: skip


def test_existing_records_are_not_written_again(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("run-1")
    ledger.record(TABLE)
    monkeypatch.setattr(objects, "write_json", lambda *_: pytest.fail("written again"))

    ledger.record(TABLE)


def test_table_that_does_not_exist_has_no_records(lake: str) -> None:
    ledger.record(TABLE)

    assert objects.keys("ops/") == []


STREAM: Mapping[str, Any] = {"dag_id": "orders_stream", "step": "bronze.orders_events"}


def test_streams_record_is_the_sum_of_all_its_batches(lake: str) -> None:
    batches = [
        ({"not_json": 2, "no_key": 1}, {"0": [5, 9]}, 4),
        ({"not_json": 1}, {"0": [12, 13], "1": [0, 2]}, 3),
        ({}, None, None),
    ]
    for number, (reasons, gap, lost) in enumerate(batches):
        commit(
            "stream-1",
            **STREAM,
            counts=vars(Counts(read=10, written=8, dead_lettered=2)),
            reasons=reasons,
            gap=gap,
            lost_offsets=lost,
            batch_seconds=5.0 - number,
            batch_id=f"b{number}",
            position={"0": number},
            facts={"offsets_without_message": 3},
        )

    ledger.record_stream(TABLE, lag=4)

    (entry,) = entries()
    assert (entry["commits"], entry["first_version"], entry["output_version"]) == (3, 0, 2)
    assert (entry["read"], entry["written"], entry["dead_lettered"]) == (30, 24, 6)
    assert entry["reasons"] == {"not_json": 3, "no_key": 1}
    assert entry["gap"] == {"0": [5, 9, 12, 13], "1": [0, 2]}
    assert entry["lost_offsets"] == 7
    assert entry["facts"] == {"offsets_without_message": 9}
    assert (entry["batch_seconds"], entry["position"], entry["batch_id"], entry["lag"]) == (5.0, {"0": 2}, None, 4)


def test_commits_of_another_run_or_step_have_a_record_of_their_own(lake: str) -> None:
    commit("stream-1", read=1, **STREAM)
    commit("stream-1", read=2, **STREAM)
    commit("by-hand", read=4, step="dlq.replay", inputs={"bronze.orders_dlq": 9})
    commit("stream-2", read=8, **STREAM)

    ledger.record_stream(TABLE, lag=1)

    assert [(entry["run_id"], entry["step"], entry["read"], entry.get("lag")) for entry in entries()] == [
        ("stream-1", "bronze.orders_events", 3, None),
        ("by-hand", "dlq.replay", 4, None),
        ("stream-2", "bronze.orders_events", 8, 1),
    ]
    commit("stream-2", read=16, **STREAM)
    ledger.record_stream(TABLE)
    assert total() == 31


def test_cost_of_a_record_follows_the_commits_since_the_mark(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(12):
        commit("run-1")
    ledger.record(TABLE)
    commit("run-2")
    looked: list[int] = []
    real = log.commit
    monkeypatch.setattr(log, "commit", lambda uri, number: looked.append(number) or real(uri, number))

    ledger.record(TABLE)

    assert looked == [12, 11]
    assert recorded.unrecorded(TABLE).mark is None


def test_without_a_mark_a_bounded_number_of_commits_is_looked_at(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(12):
        put(TABLE, [silver_order()], step="optimize")
    monkeypatch.setattr(log, "SEARCHED", 5)
    looked: list[int] = []
    real = log.commit
    monkeypatch.setattr(log, "commit", lambda uri, number: looked.append(number) or real(uri, number))

    ledger.record(TABLE)

    assert looked == [11, 10, 9, 8, 7, 6]
