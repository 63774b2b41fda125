"""After housekeeping, rows are the same, and no step, gate or gold table has anything to do because of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from delta.exceptions import ConcurrentAppendException
from pyspark.errors.exceptions import captured
from pyspark.sql import SparkSession

from dq import suite
from jobs import run as run_py
from jobs.lake import settings
from jobs.lake.delta import inputs, log
from jobs.lake.delta.commit_record import Counts
from jobs.lake.errors import ConfigurationError, LakeError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, lease_owner, leases, objects
from jobs.maintenance import optimize, optimize_vacuum, vacuum
from jobs.maintenance.housed_tables import HousedTable
from tests import lakes
from tests.jobs.lakehouse import (
    EVENTS,
    ORDERS,
    add,
    at,
    build,
    files,
    good_rows,
    land,
    newest,
    order,
    order_event,
    record,
    rows,
    silver_order,
    version,
)

SILVER, FACTS, FX, ACCOUNTS = "silver.orders", "gold.fact_orders", "silver.fx_rates", "silver.salesforce_accounts"
HOUSED = (ORDERS, SILVER, FACTS)
STEP = "maintenance.optimize_vacuum"
RUN = {"dag_id": "daily", "tables": (SILVER, FACTS)}


def day(name: str) -> dict[str, dict[str, Any]]:
    """Silver, gate and gold of one run; returns the ledger's records."""
    silver = build(SILVER, name, **RUN)
    run_py.perform(Run(name, "gate", subject="lakehouse", **RUN))
    return {SILVER: silver, FACTS: build(FACTS, name, **RUN)}


def batch(order_id: str, **other: Any) -> dict[str, Any]:
    """A row of bronze, of the one batch."""
    read = {"_batch_id": "b1", "_source": "snowflake/orders", "_ingested_at": at("2026-10-02")}
    return {**order(order_id, customer_id=f"C{order_id}", **other), **read}


def in_silver(order_id: str, **other: Any) -> dict[str, Any]:
    return silver_order(order_id, customer_id=f"C{order_id}", **other)


def in_gold(order_id: str) -> dict[str, Any]:
    return {**good_rows(FACTS)[0], "order_id": order_id, "customer_id": f"C{order_id}"}


def commit(table: str, rows: Sequence[dict[str, Any]], **record: Any) -> int:
    """What the table's step commits for new rows."""
    counts = vars(Counts(len(rows), len(rows)))
    ids = inputs.ids(record.get("inputs", {}))
    return add(table, rows, run_id="before", step=table, code="unreleased", counts=counts, input_ids=ids, **record)


def pass_gate(table: str) -> None:
    table_id, now = log.table_id(settings.lake().uri(table)) or "", datetime.now(UTC).isoformat()
    passed = gate_verdicts.Passed(version(table), table_id, suite.load(table).digest, now)
    gate_verdicts.keep_last_passed(table, passed)


@pytest.fixture(scope="module")
def original(lake_environment: dict[str, str]) -> Iterator[str]:
    """Four orders that reached gold in two days, which left two files in each table."""
    with lakes.empty(lake_environment) as bucket:
        for table in (FX, ACCOUNTS):
            commit(table, good_rows(table))
            pass_gate(table)
        for ids in (("O1", "O3"), ("O2", "O4")):
            since = {ORDERS: version(ORDERS)} if ids[0] == "O2" else {ORDERS: None}
            bronze = commit(ORDERS, [batch(one) for one in ids], batch_id="b1")
            silver = commit(SILVER, [in_silver(one) for one in ids], inputs={ORDERS: bronze}, since=since)
            read = {SILVER: silver, FX: version(FX)}
            commit(FACTS, [in_gold(one) for one in ids], inputs=read, whole=False)
        pass_gate(SILVER)
        yield bucket


@pytest.fixture
def two_days(original: str, lake_environment: dict[str, str]) -> Iterator[str]:
    """A lake with these."""
    with lakes.copy(original, lake_environment) as bucket:
        yield bucket
    lakes.forget_frames()


def housekeep(**options: Any) -> None:
    run_py.perform(Run("sunday", STEP, dag_id="weekly_housekeeping", **options))


def content(spark: SparkSession) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(table) for table in HOUSED}


def test_next_run_finds_nothing_new_and_the_gate_stays_open(
    spark: SparkSession, two_days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(spark)
    assert [len(files(table)) for table in HOUSED] == [2, 2, 2]

    housekeep(tables=HOUSED)

    assert content(spark) == before
    assert [len(files(table)) for table in HOUSED] == [1, 1, 1]
    kept = [files(table) for table in HOUSED]
    capsys.readouterr()
    made = day("after")
    said = capsys.readouterr().out
    assert [(made[t]["read"], made[t]["written"], made[t]["deleted"]) for t in (SILVER, FACTS)] == [(0, 0, 0)] * 2
    assert made[FACTS]["whole"] is False, "gold is not computed whole because of it"
    assert "reads the whole table" not in said
    assert f"{SILVER} version {version(SILVER)} (rows changed since version" in said
    assert [files(table) for table in HOUSED] == kept
    assert content(spark) == before


@pytest.mark.slow
def test_ledger_shows_files_and_what_a_look_up_reads_before_and_after(two_days: str) -> None:
    housekeep(tables=(SILVER,))

    made = record(SILVER)
    figures = made["housekeeping"]
    assert (made["step"], made["dag_id"], made["read"], made["written"]) == (STEP, "weekly_housekeeping", 0, 0)
    assert (figures["files_before"], figures["files_after"], figures["optimized_partitions"]) == (2, 1, 1)
    assert figures["lookup_files_before"] > figures["lookup_files_after"] == 1
    assert figures["lookup_bytes_after"] == figures["bytes_after"] > 0
    assert figures["vacuum_hours"] == 168
    assert newest(SILVER).record is not None


@pytest.mark.slow
def test_second_time_only_what_changed_is_rewritten(two_days: str) -> None:
    housekeep(tables=HOUSED)
    first = {table: version(table) for table in HOUSED}
    kept = files(SILVER)

    housekeep(tables=HOUSED)
    assert {table: version(table) for table in HOUSED} == first, "nothing changed: nothing is committed"

    for name in ("O6", "O7"):
        commit(SILVER, [in_silver(name, order_date=date(2026, 9, 1))])
    housekeep(tables=(SILVER,))

    assert record(SILVER)["housekeeping"]["optimized_partitions"] == 1
    assert kept < files(SILVER)
    assert len(files(SILVER)) == 2


def objects_of(bucket: str) -> dict[str, str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: f"{entry['ETag']} {entry['LastModified']}" for page in pages for entry in page["Contents"]}


def test_dry_run_shows_all_and_changes_no_object(two_days: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = objects_of(two_days)

    housekeep(dry_run=True)

    assert objects_of(two_days) == before
    said = capsys.readouterr().out
    assert f"{SILVER}: would sort by customer_id, order_date: 2 files in 1 of 1 partitions" in said
    assert f"{ORDERS}: would join the files: 2 files in 1 of 1 partitions" in said
    assert f"{FACTS}: VACUUM would remove 0 files that left the table 168 h ago or more" in said
    assert "quarantine.orders: no table yet" in said
    assert "CO1" not in said, "no value of a confidential column is shown"


@pytest.mark.slow
def test_table_that_fails_is_named_and_stops_no_other(two_days: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = optimize.run

    def fail(spark: SparkSession, table: HousedTable, planned: optimize.Plan) -> None:
        if table.name == SILVER:
            raise ValueError("a row: CO1")
        real(spark, table, planned)

    monkeypatch.setattr(optimize, "run", fail)

    with pytest.raises(LakeError, match=r"for 1 of 3 tables.* silver\.orders: ValueError\. ") as failed:
        housekeep(tables=HOUSED)

    assert "CO1" not in str(failed.value)
    assert (len(files(SILVER)), len(files(FACTS))) == (2, 1)
    monkeypatch.undo()


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 3])
def test_conflict_with_a_program_that_takes_no_lease_is_tried_again_a_few_times(
    two_days: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    real, tried = optimize.run, []

    def conflict(*arguments: Any) -> None:
        tried.append(arguments)
        if len(tried) <= times:
            raise ConcurrentAppendException("files were added")
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(optimize, "run", conflict)
        patch.setattr(optimize_vacuum, "PAUSE", 0)
        if times == 3:
            with pytest.raises(LakeError, match="ConcurrentAppendException"):
                housekeep(tables=(SILVER,))
        else:
            housekeep(tables=(SILVER,))

    assert len(files(SILVER)) == (2 if times == 3 else 1)


def test_conflict_that_the_jvm_reports_is_known_as_one(spark: SparkSession) -> None:
    reported = spark._jvm.io.delta.exceptions.ConcurrentAppendException("files were added")

    assert isinstance(captured.convert_exception(reported), optimize_vacuum.CONFLICTS)


def test_unknown_table_is_refused_before_anything_is_done(spark: SparkSession, lake: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no table silver\.order to look after"):
        housekeep(subject="silver.order")


@pytest.fixture
def at_once(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """VACUUM removes files of this very moment, unless somebody needs them."""
    monkeypatch.setattr(vacuum, "LEAST_HOURS", 0)
    monkeypatch.setattr(vacuum, "_own_hours", lambda uri: 0)
    name = "spark.databricks.delta.retentionDurationCheck.enabled"
    spark.conf.set(name, "false")
    yield
    spark.conf.unset(name)


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_version_that_gold_was_made_of_outlives_vacuum(
    spark: SparkSession, two_days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = newest(FACTS).inputs[SILVER]
    held = {str(file) for file in log.open_table(settings.lake().uri(SILVER), gold).file_uris()}

    housekeep(tables=(SILVER,))

    assert f"VACUUM waits, since somebody may need version {gold}" in capsys.readouterr().out
    bucket = objects_of(two_days)
    assert held
    assert all(file.removeprefix(f"s3://{two_days}/") in bucket for file in held)
    lakes.forget_frames()
    day("after")  # gold has read what housekeeping made: nobody needs the version any more
    housekeep(tables=(SILVER,))
    assert "removes" in capsys.readouterr().out
    assert record(SILVER)["housekeeping"]["vacuum_files"] >= 2
    assert [c.operation for c, _ in zip(log.commits(settings.lake().uri(SILVER)), range(3), strict=False)][1:] == [
        "VACUUM END",
        "VACUUM START",
    ]
    assert not any(commit.foreign for commit in log.commits(settings.lake().uri(SILVER)))


def stream_of(spark: SparkSession) -> None:
    for offset in range(3):
        land(spark, EVENTS, f"b{offset}", [order_event(offset=offset)])


@pytest.mark.slow
def test_stream_that_runs_keeps_its_table(spark: SparkSession, lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    stream_of(spark)
    before = version(EVENTS)
    with leases.hold(Run("stream", EVENTS), EVENTS):
        lease = objects.read_json(lease_owner.key(EVENTS))
        housekeep(subject=EVENTS)
        assert not leases.awaited(EVENTS), "it does not ask the stream to give way"
        assert objects.read_json(lease_owner.key(EVENTS))["owner"] == lease["owner"]
    assert version(EVENTS) == before
    assert "its stream runs, and joins its small files itself" in capsys.readouterr().out

    housekeep(subject=EVENTS)  # it has stopped

    assert len(files(EVENTS)) == 1
    assert record(EVENTS)["housekeeping"]["files_before"] == 3
