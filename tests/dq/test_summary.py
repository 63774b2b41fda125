"""A table's summary: what is counted, what is remembered, and that the same objects always give the same."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from dq import summary
from dq.summary import Named
from jobs.lake import tables

TABLE = "silver.orders"
DAY = "2026-11-29"
TODAY = date.fromisoformat(DAY)


def result(time: str, *broken: str, day: str = DAY, success: bool = True, table: str = TABLE) -> Named:
    """A gate's result of two rules at that time."""
    rules = [("critical", "order_id be_unique"), ("warning", "currency match_regex")]
    content = {
        "table_name": table,
        "dag_id": "daily_lakehouse",
        "run_id": "run-1",
        "step": "gate",
        "job": "job",
        "version": 3,
        "validated_at": f"{day}T{time}+00:00",
        "success": success,
        "evaluated": 2,
        "failed": len(broken),
        "results": [{"severity": s, "rule": r, "success": r not in broken, "observed": {}} for s, r in rules],
    }
    return f"gold/quality/day={day}/orders/{day.replace('-', '')}_{time.replace(':', '')}.json", content


def record(version: int, day: str = DAY, **counts: int) -> Named:
    content: dict[str, Any] = {"output_version": version, "committed_at": f"{day}T00:00:0{version}+00:00", **counts}
    return f"ops/run_ledger/day={day}/{TABLE}/{version:020d}-000000000.json", content


def of(*results: Named, records: tuple[Named, ...] = ()) -> summary.Summary:
    made = summary.empty(TABLE)
    summary.add_results(made, DAY, results)
    summary.add_records(made, DAY, records)
    summary.finish(made, TODAY)
    return made


def test_day_counts_validations_and_each_rules_outcomes() -> None:
    made = of(result("07:00:00"), result("07:15:00", "order_id be_unique", success=False), result("07:30:00"))

    day = made["days"][DAY]["results"]
    assert (day["validations"], day["refused"], day["n"]) == (3, 1, 3)
    assert day["rules"] == {"critical order_id be_unique": [2, 1], "warning currency match_regex": [3, 0]}
    assert (made["weeks"]["2026-11-23"]["judged"], made["weeks"]["2026-11-23"]["failed"]) == (6, 1)


def test_newest_validation_is_kept_whole_and_twenty_in_short() -> None:
    times = [f"07:{minute:02}:00" for minute in range(25)]

    made = of(*[result(time) for time in times], result("06:00:00", "order_id be_unique"))

    assert made["validated"]["validated_at"] == f"{DAY}T07:24:00+00:00"
    assert len(made["validated"]["results"]) == 2
    assert made["validated"]["results"][0]["examples"] == [], "which results of release 0.2 lack"
    assert [line["validated_at"][11:16] for line in made["recent"]] == [time[:5] for time in reversed(times[5:])]
    assert "results" not in made["recent"][0]


def test_counts_of_the_ledger_are_summed_and_the_newest_commit_is_kept() -> None:
    made = of(records=(record(2, read=5, written=4, quarantined=1, table_rows=9), record(1, read=2, dead_lettered=1)))

    ledger = made["days"][DAY]["ledger"]
    assert (ledger["read"], ledger["written"], ledger["quarantined"], ledger["dead_lettered"]) == (7, 4, 1, 1)
    assert (made["committed"]["output_version"], made["committed"]["table_rows"]) == (2, 9)
    assert made["weeks"]["2026-11-23"]["quarantined"] == 1


def test_same_objects_give_the_same_summary_in_one_go_or_in_many() -> None:
    found = [result("07:00:00"), result("07:15:00", "order_id be_unique"), result("07:30:00")]
    step_by_step = summary.empty(TABLE)
    for each in found:
        summary.add_results(step_by_step, DAY, [each])
        summary.finish(step_by_step, TODAY)
    again = of(*found[:2])
    summary.add_results(again, DAY, found, again=True)
    summary.finish(again, TODAY)

    at_once = of(*found)
    del at_once["days"][DAY]["ledger"]
    del again["days"][DAY]["ledger"]
    assert step_by_step == again == at_once


def test_result_of_another_layers_table_in_the_same_folder_is_not_counted() -> None:
    made = of(result("07:00:00"), result("07:15:00", table="gold.orders"))

    assert made["days"][DAY]["results"]["validations"] == 1
    assert made["days"][DAY]["results"]["n"] == 2, "but known, so that it is not read again"


def test_day_that_is_over_twelve_weeks_old_is_dropped() -> None:
    made = summary.empty(TABLE)
    for back in (0, 83, 84):
        day = (TODAY - timedelta(days=back)).isoformat()
        summary.add_results(made, day, [result("07:00:00", day=day)])

    summary.finish(made, TODAY)

    assert list(made["days"]) == ["2026-09-07", DAY]
    assert len(made["weeks"]) == 2


def test_registry_has_every_table_and_who_judges_it() -> None:
    entries = {entry["name"]: entry for pipe in summary.registry()["pipelines"] for entry in pipe["tables"]}

    assert list(entries) == [table.name for table in tables.every()]
    judged = {table.name for pipe in tables.PIPELINES for table in (*pipe.gated, *pipe.layer("gold"))}
    assert {name for name, entry in entries.items() if entry["judged"]} == judged


def test_summary_of_a_year_is_small() -> None:
    import json

    made = summary.empty(TABLE)
    rules = [
        {"severity": "critical", "rule": f"column_{n} match_regex", "success": True, "observed": {}} for n in range(25)
    ]
    for back in range(365):
        day = (TODAY - timedelta(days=back)).isoformat()
        start = datetime.fromisoformat(f"{day}T00:00:00")
        found = [result(f"{start + timedelta(minutes=15 * number):%H:%M:%S}", day=day) for number in range(96)]
        summary.add_results(made, day, [(name, {**content, "results": rules}) for name, content in found])
    summary.finish(made, TODAY)

    assert len(json.dumps(made)) < 120_000
