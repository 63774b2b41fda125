"""What release 0.1.0 wrote beside the day folders is moved into them, once, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from jobs.catalog import earlier_objects, ops_tables, register_glue_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import s3, settings
from jobs.lake.state import ledger, objects
from tests.jobs.lakehouse import newest, put, silver_order

TABLE = "silver.orders"
STAMP = "2026-11-20 12:49:24.123000+00:00"  # as that release wrote times
MOVED = {
    "ops/run_ledger/silver.orders/00000000000000000007.json": (
        {"table_name": TABLE, "output_version": 7, "committed_at": STAMP},
        "ops/run_ledger/day=2026-11-20/silver.orders/00000000000000000007-124924123.json",
    ),
    "gold/quality/orders/20261120_124924.json": (
        {"table_name": TABLE, "validated_at": STAMP},
        "gold/quality/day=2026-11-20/orders/20261120_124924.json",
    ),
}


def every() -> dict[str, Any]:
    return {
        key: objects.read_json(key) for folder in ("ops/run_ledger/", "gold/quality/") for key in objects.keys(folder)
    }


def move(lake: str) -> list[str]:
    return [line for table in ops_tables.TABLES if (line := earlier_objects.move(lake, table.folder))]


def test_objects_go_to_their_days_and_keep_their_names_and_content(lake: str) -> None:
    for key, (content, _) in MOVED.items():
        objects.write_json(key, content)
    objects.write_json("ops/run_ledger/day=2026-11-21/silver.orders/1.json", {"new": 1})

    lines = move(lake)

    assert every() == {
        **{to: content for content, to in MOVED.values()},
        "ops/run_ledger/day=2026-11-21/silver.orders/1.json": {"new": 1},
    }
    assert lines == [
        f"s3://{lake}/ops/run_ledger/: moved 1 objects of an earlier release to their days",
        f"s3://{lake}/gold/quality/: moved 1 objects of an earlier release to their days",
    ]
    assert move(lake) == []


def test_two_registrations_at_once_move_everything_once(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, (content, _) in MOVED.items():
        objects.write_json(key, content)
    listed = earlier_objects._outside

    def overtaken(bucket: str, folder: str) -> list[str]:
        """Another registration moves all that this one has just listed."""
        keys = [*listed(bucket, folder)]
        with monkeypatch.context() as patch:
            patch.setattr(earlier_objects, "_outside", listed)
            earlier_objects.move(bucket, folder)
        return keys

    monkeypatch.setattr(earlier_objects, "_outside", overtaken)

    assert move(lake) == []
    assert every() == {to: content for content, to in MOVED.values()}


def test_kill_between_copy_and_delete_is_finished_by_the_next_registration(
    lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, (content, _) in MOVED.items():
        objects.write_json(key, content)
    client = s3.client()
    with monkeypatch.context() as patch:
        patch.setattr(client, "delete_object", lambda **_: (_ for _ in ()).throw(InterruptedError("killed")))
        with pytest.raises(InterruptedError):
            move(lake)

    move(lake)

    assert every() == {to: content for content, to in MOVED.values()}


def test_object_that_can_not_be_read_stays_and_is_counted(lake: str) -> None:
    objects.write("ops/run_ledger/silver.orders/1.json", b"{")

    assert move(lake) == [
        f"s3://{lake}/ops/run_ledger/: moved 0 objects of an earlier release to their days; 1 can't be read and stay "
        "where they are, unseen by queries"
    ]
    assert objects.keys("ops/") == ["ops/run_ledger/silver.orders/1.json"]


def test_registration_moves_and_the_ledger_finds_the_record_where_it_was_and_where_it_is(lake: str) -> None:
    put(TABLE, [silver_order()], run_id="run-1", step=TABLE, counts={"read": 1, "written": 1})
    made = newest(TABLE)
    earlier = {"table_name": TABLE, "output_version": 0, "committed_at": str(made.time)}
    objects.write_json(f"ops/run_ledger/{TABLE}/{0:020d}.json", earlier)
    ledger.record(TABLE)
    assert len(objects.keys("ops/run_ledger/")) == 1, "found where release 0.1.0 wrote it"

    glue: Any = boto3.client("glue")
    lines = register_glue_tables.register_layers(Catalog(glue, settings.lake().bucket), ("ops",), [])

    assert any("moved 1 objects" in line for line in lines)
    assert objects.keys("ops/run_ledger/") == [ledger.key(TABLE, made)]
    objects.delete_prefix("ops/recorded/")
    ledger.record(TABLE)
    assert objects.read_json(ledger.key(TABLE, made)) == earlier, "and where it is now"


def test_nothing_to_move_costs_one_listing_of_each_folder(lake: str) -> None:
    for day in range(1, 29):
        objects.write_json(f"gold/quality/day=2026-10-{day:02d}/orders/1.json", {})
    asked: list[str] = []

    def note(model: Any, **_: Any) -> None:
        asked.append(model.name)

    events = s3.client().meta.events
    events.register("before-call.s3", note)
    move(lake)
    events.unregister("before-call.s3", note)

    assert asked == ["ListObjectsV2"] * 2
