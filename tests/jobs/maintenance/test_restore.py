"""A person takes a table back: shown first, refused where it can't be, done once, and undone again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from jobs import run as run_py
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import ConfigurationError, DataError, TableBusyError
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger, objects
from jobs.maintenance import restore_effect, restore_target
from jobs.maintenance.restore_target import Target
from tests import lakes
from tests.jobs.lakehouse import (
    EVENTS,
    ORDERS,
    build,
    by,
    files,
    killed_at,
    land,
    newest,
    order,
    order_event,
    record,
    rows,
    version,
)  # fmt: skip

SILVER, DEAD = "silver.orders", "bronze.orders_dlq"
WHO = ("--who", "Ann", "--why", "bad batch")


@pytest.fixture(scope="module")
def original(spark: SparkSession, lake_environment: dict[str, str]) -> Iterator[str]:
    """Two batches. Between versions 1 and 2 of silver, O1 changes and O3 comes."""
    with lakes.empty(lake_environment) as bucket:
        land(spark, ORDERS, "b1", [order("O1"), order("O2")])
        build(SILVER, "run-1", dag_id="daily_lakehouse")
        later = datetime(2026, 10, 2, tzinfo=UTC)
        land(spark, ORDERS, "b2", [order("O1", status="PAID", updated_at=later), order("O3", customer_id="C-secret")])
        build(SILVER, "run-2", dag_id="daily_lakehouse")
        yield bucket


@pytest.fixture
def built(original: str, lake_environment: dict[str, str]) -> Iterator[str]:
    with lakes.copy(original, lake_environment) as bucket:
        yield bucket
    lakes.forget_frames()


def restore(*words: str, run_id: str = "by-hand") -> None:
    run_py.perform(run_py.parse(["restore", *words, "--run-id", run_id]))
    lakes.forget_frames()


def statuses(spark: SparkSession) -> dict[str, str]:
    return by(SILVER, "order_id", "status")


def test_dry_run_shows_rows_writers_and_what_comes_after_and_changes_nothing(
    built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    restore(SILVER, "--version", "1")

    shown = capsys.readouterr().out
    assert f"{SILVER}: from version 2 back to version 1 of 20" in shown
    assert "rows that go: 1, that come back: 0, that change: 1, by order_id" in shown
    assert "daily_lakehouse run-2 (silver.orders)  read 2, written 2" in shown
    assert "run-1" not in shown, "its version stays"
    assert "builds it again from bronze.snowflake_orders, bronze.orders_events: first mend" in shown
    assert shown.endswith("dry run: nothing was changed. To do it, say who and why: --who NAME --why REASON\n")
    assert "secret" not in shown
    assert version(SILVER) == 2


def test_table_goes_back_once_says_who_and_why_and_goes_forth_again(
    built: str, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    after = statuses(spark)

    for _ in range(2):  # a retry of the same run finds it done
        restore(SILVER, "--version", "1", *WHO)

    assert statuses(spark) == {"O1": "PLACED", "O2": "PLACED"}
    assert version(SILVER) == 3
    made = newest(SILVER).record
    assert made
    assert (made.who, made.why, made.restored_to, made.step, made.fencing) == ("Ann", "bad batch", 1, "restore", 3)
    kept = record(SILVER)
    assert {name: kept[name] for name in ("who", "restored_to", "deleted", "reinstated", "table_rows")} == {
        "who": "Ann", "restored_to": 1, "deleted": 1, "reinstated": 1, "table_rows": 2,
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "is version 1 again, in version 3, by Ann: bad batch. To undo it: restore silver.orders --version 2" in said
    assert "went back to version 1 already, in version 3" in said
    assert f"{SILVER}: registered, " in said

    restore(SILVER, "--version", "2", *WHO, run_id="undo")
    assert statuses(spark) == after


def test_restore_that_was_killed_after_its_commit_is_finished_and_not_made_twice(built: str) -> None:
    with killed_at(ledger, "record"):
        restore(SILVER, "--version", "1", *WHO)
    assert version(SILVER) == 3

    restore(SILVER, "--version", "1", *WHO)

    assert version(SILVER) == 3
    assert record(SILVER)["restored_to"] == 1
    assert boto3.client("glue").get_table(DatabaseName="silver", Name="orders")["Table"]


@pytest.mark.slow
def test_table_goes_back_to_what_it_was_at_a_moment(built: str, spark: SparkSession) -> None:
    moment = next(commit.time for commit in log.commits(settings.lake().uri(SILVER)) if commit.version == 1)
    restore(SILVER, "--timestamp", (moment + timedelta(milliseconds=1)).isoformat(), *WHO)
    assert newest(SILVER).restored == 1
    assert len(rows(SILVER)) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((SILVER,), "say one of --version N and --timestamp T; `history silver.orders` lists the versions"),
        ((SILVER, "--version", "1", "--timestamp", "2026-10-01"), "say one of"),
        ((SILVER, "--version", "9"), "silver.orders has no version 9: it has 0 to 2"),
        ((SILVER, "--version", "-1"), "has no version -1"),
        ((SILVER, "--timestamp", "2024-01-27 10:00:00"), "2024-01-27 10:00:00 is before its first version .* 0 of 20"),
        ((SILVER, "--timestamp", "2999-01-01"), "2999-01-01 00:00:00 is after its last version, 2 of 20"),
        (("silver.nothing", "--version", "1"), "no table 'silver.nothing'; there are bronze.fx_rates"),
        (("gold.fact_orders", "--version", "1"), "gold.fact_orders has no table yet"),
        (("quarantine.orders", "--version", "1"), "belongs to silver.orders, .* A run of silver.orders with full_ref"),
        ((DEAD, "--version", "1"), "goes back with bronze.orders_events: restore that one"),
        ((SILVER, "--version", "1", "--who", "Ann"), "say both who restores and why"),
        ((SILVER, "--version", "1", "--why", "x"), "say both who restores and why"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_can_not_be_is_refused(built: str, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        restore(*words)
    assert version(SILVER) == 2


def test_version_whose_files_are_gone_is_refused_with_the_name_of_the_first(built: str) -> None:
    old = log.open_table(settings.lake().uri(SILVER), 1)
    assert old
    gone = sorted(set(old.file_uris()) - files(SILVER))
    for uri in gone:
        objects.delete(uri.removeprefix(f"s3://{built}/"))

    with pytest.raises(DataError, match=rf"1 data files of version 1 are gone, the first is {gone[0]}\. VACUUM"):
        restore(SILVER, "--version", "1", *WHO)

    assert version(SILVER) == 2


@pytest.mark.slow
def test_table_whose_own_files_are_gone_goes_back_to_what_is_whole(
    built: str, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    for uri in files(SILVER):
        objects.delete(uri.removeprefix(f"s3://{built}/"))

    restore(SILVER, "--version", "1", *WHO)

    assert "not counted: 1 files of the newest version are gone" in capsys.readouterr().out
    assert len(rows(SILVER)) == 2


def test_version_that_the_log_no_longer_has_is_refused(built: str) -> None:
    table = log.open_table(settings.lake().uri(SILVER))
    assert table
    table.create_checkpoint()
    for number in range(2):
        objects.delete_prefix(f"silver/orders/_delta_log/{number:020d}.")
    with pytest.raises(DataError, match="the log no longer says what version 1 was"):
        restore(SILVER, "--version", "1")


def test_table_that_another_job_writes_is_left_alone(built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "PATIENCE", timedelta(seconds=0))
    with leases.hold(Run("writer", SILVER), SILVER), pytest.raises(TableBusyError):
        restore(SILVER, "--version", "1", *WHO)
    assert version(SILVER) == 2


@pytest.mark.slow
def test_bronze_shows_its_batches_and_which_of_them_no_run_would_read_again(
    built: str, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    land(spark, ORDERS, "b1", [order("O1")])
    log.open_table(settings.lake().uri(ORDERS)).optimize.compact()  # type: ignore[union-attr]

    restore(ORDERS, "--version", "1")

    shown = capsys.readouterr().out
    assert "rows that go: 3, that come back: 2, that change: 0" in shown
    assert "batch b1: 1 go, 2 come back" in shown
    assert "batch b2: 2 go, 0 come back" in shown
    assert "reads its source again from the beginning" in shown


@pytest.mark.slow
def test_what_only_moved_between_files_neither_goes_nor_comes(built: str, spark: SparkSession) -> None:
    before = version(ORDERS)
    table = log.open_table(settings.lake().uri(ORDERS))
    assert table
    table.optimize.z_order(["order_id"])
    land(spark, ORDERS, "b3", [order("O9")])
    effect = restore_effect.of(spark, Target(tables.table(ORDERS), before, version(ORDERS)))
    assert effect.batches == {"b3": (1, 0)}


@pytest.mark.slow
def test_rows_are_counted_alike_with_and_without_the_change_feed(
    built: str, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(tables.table(SILVER), 1, 2)
    by_feed = restore_effect.of(spark, target)
    monkeypatch.setattr("jobs.lake.delta.changes.net", lambda *_: None)
    assert restore_effect.of(spark, target) == by_feed
    assert (by_feed.go, by_feed.come, by_feed.change) == (1, 0, 1)


def dead(offset: int) -> dict[str, Any]:
    return {"topic": "orders", "partition": 0, "offset": offset, "reason": "unknown_currency"}


@pytest.mark.slow
def test_tables_of_one_stream_go_back_together(
    lake: str, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    land(spark, DEAD, "d1", [dead(0), dead(1)])
    first = land(spark, EVENTS, "e1", [order_event("O1", offset=2)])
    land(spark, EVENTS, "replay", [order_event("O2", offset=0)])  # offset 0 is mended, and leaves the queue
    land(spark, DEAD, "d1", [dead(1)])
    land(spark, EVENTS, "e2", [order_event("O3", offset=3)])

    restore(EVENTS, "--version", str(first), *WHO)

    places = {name: sorted(row["offset"] for row in rows(name)) for name in (EVENTS, DEAD)}
    assert places == {EVENTS: [2], DEAD: [0, 1]}
    shown = capsys.readouterr().out
    assert f"{DEAD}: is version" in shown
    assert "the stream reads again from there: its beginning" in shown
    assert (record(EVENTS)["who"], record(DEAD)["who"]) == ("Ann", "Ann")

    with killed_at(leases.Lease, "renew"):
        restore(EVENTS, "--version", "3", *WHO, run_id="undo")
    restore(EVENTS, "--version", "3", *WHO, run_id="undo")
    places = {name: sorted(row["offset"] for row in rows(name)) for name in (EVENTS, DEAD)}
    assert places == {EVENTS: [0, 2, 3], DEAD: [1]}


def test_moment_is_found_in_few_requests_however_long_the_log_is(built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    start = datetime(2026, 10, 1, tzinfo=UTC)

    def commit(uri: str, number: int) -> Any:
        asked.append(number)
        known = log.Commit(number, "WRITE", start + timedelta(seconds=number), None, 0)
        return known if number >= 40_000 else None

    monkeypatch.setattr(log, "commit", commit)
    monkeypatch.setattr(log, "version", lambda uri: 140_000)
    run = run_py.parse(["restore", ORDERS, "--timestamp", (start + timedelta(seconds=77_777.5)).isoformat()])
    assert restore_target.all_of(run)[0].version == 77_777
    assert len(asked) < 40
    run = run_py.parse(["restore", ORDERS, "--timestamp", (start + timedelta(seconds=39_000)).isoformat()])
    with pytest.raises(ConfigurationError, match="before its first version that the log has, 40000 of"):
        restore_target.all_of(run)
