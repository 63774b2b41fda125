"""The figures of a daily report, from records as the ledger and the gates write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.lake import tables
from jobs.operations.report import figures, job_runs
from jobs.operations.report.records import Span

END = datetime(2026, 11, 20, 6, tzinfo=UTC)
SPAN = Span(END - timedelta(days=1), END)


def record(table: str = "silver.orders", **other: Any) -> dict[str, Any]:
    return {
        "table_name": table, "step": table, "dag_id": "daily_lakehouse", "run_id": "r1", "read": 10, "written": 6,
        "unchanged": 3, "superseded": 1, "seconds": 12.0, "table_rows": 100, "bytes_written": 1000,
        "committed_at": "2026-11-20T00:10:00+00:00", **other,
    }  # fmt: skip


def job(name: str, hours: float = 0.5, **other: Any) -> dict[str, Any]:
    return {
        "name": name, "state": "SUCCESS", "startedAt": END - timedelta(hours=2), "endedAt": END - timedelta(hours=1),
        "billedResourceUtilization": {"vCPUHour": hours, "memoryGBHour": 2 * hours}, **other,
    }  # fmt: skip


def test_volumes_are_summed_and_the_newest_size_is_kept() -> None:
    rows = figures.volumes([record(), record(table_rows=106), record("bronze.old")], tables.every())
    assert [row["table"] for row in rows] == [table.name for table in tables.every()]
    (orders,) = [row for row in rows if row["table"] == "silver.orders"]
    assert (orders["commits"], orders["read"], orders["written"], orders["rows"]) == (2, 20, 12, 106)
    assert {row["written"] for row in rows if row["table"] != "silver.orders"} == {0}


def test_stream_s_record_counts_its_commits_and_reasons() -> None:
    minutes = [
        record("bronze.orders_dlq", commits=9, reasons={"not_json": 3, "no_key": 1}, table_rows=None),
        record("bronze.orders_dlq", commits=4, reasons={"not_json": 2}, table_rows=None),
    ]
    (queue,) = [row for row in figures.volumes(minutes, tables.every()) if row["table"] == "bronze.orders_dlq"]
    assert (queue["commits"], queue["rows"]) == (13, None)
    assert [(row["reason"], row["rows"]) for row in figures.dead_letters(minutes)] == [("not_json", 5), ("no_key", 1)]
    assert figures.times(minutes) == {"steps": {}, "dags": {}}


def test_quality_is_the_newest_verdict_with_every_rule_that_failed() -> None:
    def result(success: bool, *failed: str) -> dict[str, Any]:
        outcomes = [{"rule": name, "severity": "critical", "success": False} for name in failed]
        return {"table_name": "silver.orders", "success": success, "evaluated": 9, "results": outcomes}

    (row,) = figures.quality([result(False, "a", "b"), result(False, "a"), result(True)])
    assert (row["validations"], row["refused"], row["success"]) == (3, 2, True)
    assert [(one["rule"], one["times"]) for one in row["failed"]] == [("a", 2), ("b", 1)]


def test_run_is_the_sum_of_its_steps_and_a_day_the_median_of_its_runs() -> None:
    found = figures.times(
        [
            record(seconds=10.0, run_id="r1"), record("gold.fact_orders", seconds=30.0, run_id="r1"),
            record(seconds=20.0, run_id="r2"), record(seconds=99.0, dag_id="by_hand"), record(seconds=None),
        ]
    )  # fmt: skip
    assert found["dags"] == {"daily_lakehouse": {"runs": 2, "seconds": 30.0}}
    assert found["steps"]["silver.orders"] == {"runs": 2, "seconds": 15.0}


def test_today_is_compared_with_the_days_that_are_known() -> None:
    before = [("2026-11-18", figures.times([record(seconds=8.0)])), ("2026-11-19", None)]
    (dag,) = figures.compared(figures.times([record(seconds=16.0)]), before)["dags"]
    assert (dag["seconds"], dag["usual"]) == (16.0, 8.0)
    assert dag["history"] == [{"date": "2026-11-18", "seconds": 8.0}, {"date": "2026-11-19", "seconds": None}]


def test_age_counts_to_the_end_of_the_day_and_a_missing_table_has_none() -> None:
    rows = figures.freshness({"a": END - timedelta(hours=30), "b": None}, END)
    assert [row["age_hours"] for row in rows] == [30.0, None]


def test_hours_are_summed_by_dag() -> None:
    found = job_runs.summed(
        [job("daily_lakehouse/gate r1"), job("daily_lakehouse/glue r1", state="FAILED"), job("make job")], SPAN
    )
    assert [(one["dag_id"], one["job_runs"], one["failed"], one["vcpu_hours"], one["gb_hours"]) for one in found] == [
        ("daily_lakehouse", 2, 1, 1.0, 2.0),
        ("by hand", 1, 0, 0.5, 1.0),
    ]


@pytest.mark.parametrize(
    ("began", "ended", "share"),
    [(-48, None, 0.5), (-12, None, 1.0), (-25, -23, 0.5), (-30, -26, 0.0), (-2, 2, 0.5)],
)
def test_job_run_that_is_longer_than_the_day_counts_with_its_share(began: int, ended: int | None, share: float) -> None:
    times = {"startedAt": END + timedelta(hours=began), "endedAt": ended and END + timedelta(hours=ended)}
    (one,) = job_runs.summed([job("d/t", 1.0, state="SUCCESS" if ended else "RUNNING", **times)], SPAN)
    assert one["vcpu_hours"] == share


def test_span_names_the_folders_of_its_days() -> None:
    assert list(SPAN.days()) == ["day=2026-11-19", "day=2026-11-20"]
    assert SPAN.holds(SPAN.start)
    assert not SPAN.holds(SPAN.end)
