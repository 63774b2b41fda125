"""The summary in the lake: it follows results and ledger, whatever is killed, late, missing or at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from dq import roll_up, summary
from jobs.lake import settings, tables
from jobs.lake.state import objects
from tests.dq import test_summary

TABLE = "silver.orders"
TODAY = date(2026, 11, 29)
BRONZE = "bronze.fx_rates"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch, lake: str) -> Callable[[str], None]:
    """Sets the day; it begins as TODAY."""

    def set_to(day: str) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Clock:
                return cls.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)

        monkeypatch.setattr(roll_up, "datetime", Clock)

    set_to(TODAY.isoformat())
    return set_to


def put_result(time: str, *broken: str, **other: Any) -> None:
    objects.write_json(*test_summary.result(time, *broken, **other))


def put_record(version: int, day: str = "2026-11-29", **counts: int) -> None:
    key, content = test_summary.record(version, day, **counts)
    objects.write_json(key, content)


def rolled_up() -> dict[str, Any]:
    roll_up.roll_up([TABLE])
    found = objects.read_json(summary.key(TABLE))
    assert found is not None
    return dict(found)


def validations(found: dict[str, Any], day: str = "2026-11-29") -> int:
    return int(summary.day_of(found, day, "results").get("validations", 0))


def test_what_came_since_is_added(capsys: pytest.CaptureFixture[str]) -> None:
    put_result("07:00:00")
    put_record(1, read=4, written=3, quarantined=1)
    assert validations(rolled_up()) == 1

    put_result("07:15:00", "order_id be_unique", success=False)
    found = rolled_up()

    assert validations(found) == 2
    assert found["validated"]["success"] is False
    assert found["committed"]["output_version"] == 1
    assert found["kept_out"] == 0
    assert capsys.readouterr().out == ""


def test_rolling_up_again_writes_nothing() -> None:
    put_result("07:00:00")
    first = rolled_up()
    tag = objects.read_json_with_etag(summary.key(TABLE))

    assert rolled_up() == first
    assert objects.read_json_with_etag(summary.key(TABLE)) == tag


def test_missing_summary_is_built_anew_and_is_the_same(today: Callable[[str], None]) -> None:
    for day in ("2026-11-26", "2026-11-27"):
        today(day)
        put_result("07:00:00", day=day)
        put_record(1, day, read=1)
        rolled_up()
    today("2026-11-29")
    put_result("08:00:00", "order_id be_unique")
    before = rolled_up()

    objects.delete(summary.key(TABLE))

    assert rolled_up() == before


def test_summary_of_another_format_is_built_anew() -> None:
    put_result("07:00:00")
    objects.write_json(summary.key(TABLE), {"format": 0, "days": "?"})

    assert validations(rolled_up()) == 1


def test_object_that_is_written_late_is_counted(today: Callable[[str], None]) -> None:
    put_result("07:00:00")
    put_result("09:00:00")
    rolled_up()
    put_result("08:00:00", "order_id be_unique", success=False)  # before one that is counted

    found = rolled_up()
    assert (validations(found), summary.day_of(found, "2026-11-29", "results")["refused"]) == (3, 1)
    today("2026-11-30")
    rolled_up()
    put_result("08:30:00")  # yesterday is looked at no more today
    today("2026-12-01")
    assert validations(rolled_up()) == 4


def test_day_whose_objects_were_folded_away_stays_counted(today: Callable[[str], None]) -> None:
    put_result("07:00:00")
    put_result("08:00:00")
    rolled_up()
    objects.delete_prefix("gold/quality/")

    today("2026-11-30")

    assert validations(rolled_up()) == 2


def test_days_without_a_roll_up_are_made_up_for(today: Callable[[str], None]) -> None:
    rolled_up()
    put_result("23:00:00")
    for number in (1, 2, 20):
        day = (TODAY + timedelta(days=number)).isoformat()
        put_result("07:00:00", day=day)
    today("2026-12-20")

    found = rolled_up()

    assert [day for day in found["days"] if validations(found, day)] == [
        "2026-11-29", "2026-11-30", "2026-12-01", "2026-12-19",
    ]  # fmt: skip


def test_two_at_once_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    put_result("07:00:00")
    rolled_up()
    put_result("07:15:00")
    write, others = objects.write_json_if, ["one"]

    def beaten(key: str, value: Any, *, etag: str | None) -> str | None:
        if others:
            others.pop()
            put_result("07:30:00")
            roll_up.roll_up([TABLE])  # another gate was quicker
        return write(key, value, etag=etag)

    monkeypatch.setattr(objects, "write_json_if", beaten)

    assert validations(rolled_up()) == 3


def test_summary_is_built_anew_from_folded_records_too(today: Callable[[str], None]) -> None:
    named = [test_summary.result(time, day="2026-11-10") for time in ("07:00:00", "08:00:00")]
    for each in named:
        objects.write_json(*each)
    made = test_summary.record(1, "2026-11-10", read=7)
    objects.write_json(*made)
    before = rolled_up()
    for kind, found in (("ops.dq_results", named), ("ops.run_ledger", [made])):
        rows = [
            {"table_name": TABLE, "day": "2026-11-10", "object_key": key, "content": json.dumps(content)}
            for key, content in found
        ]
        uri = settings.lake().uri(f"{kind}_history")
        write_deltalake(uri, pa.Table.from_pylist(rows), storage_options=settings.storage_options())
    objects.delete(made[0])
    objects.delete(named[0][0])  # the other is in both places, as after a kill
    objects.delete(summary.key(TABLE))

    assert rolled_up() == before
    assert validations(before, "2026-11-10") == 2


@pytest.mark.parametrize("place", ["read_json", "write_json_if"])
def test_kill_leaves_the_former_summary_and_the_next_roll_up_goes_on(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_result("07:00:00")
    before = rolled_up()
    put_result("07:15:00")

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(objects, place, kill)
        with pytest.raises(KeyboardInterrupt):
            roll_up.roll_up([TABLE])
    assert objects.read_json(summary.key(TABLE)) == before

    assert validations(rolled_up()) == 2


def test_failure_fails_no_step_and_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(objects, "folders", lambda *_: 1 / 0)

    roll_up.roll_up([TABLE, BRONZE])

    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        f"ops/quality/{name}.json is not up to date" for name in (TABLE, BRONZE)
    ]


def test_cost_of_a_roll_up_is_what_came_since(monkeypatch: pytest.MonkeyPatch, today: Callable[[str], None]) -> None:
    for back in range(30):
        day = (TODAY - timedelta(days=back)).isoformat()
        put_result("07:00:00", day=day)
    rolled_up()
    put_result("08:00:00")
    asked: list[str] = []
    for name in ("keys", "folders", "read_json"):
        ask = getattr(objects, name)
        monkeypatch.setattr(objects, name, lambda key, ask=ask: (asked.append(key), ask(key))[1])

    roll_up.roll_up([TABLE])
    assert len(asked) == 3, "today's two folders, and the new result"

    asked.clear()
    today("2026-11-30")
    roll_up.roll_up([TABLE])
    assert len(asked) == 2 + 7, "which days there are, and of the last week those with results"


def test_registry_is_written_once() -> None:
    roll_up.write_registry()
    tag = objects.read_json_with_etag(summary.REGISTRY)
    assert tag
    assert [len(pipe["tables"]) for pipe in tag[0]["pipelines"]] == [len(pipe.tables) for pipe in tables.PIPELINES]

    roll_up.write_registry()

    assert objects.read_json_with_etag(summary.REGISTRY) == tag
