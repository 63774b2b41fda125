"""This release reads, continues and publishes a lake that an earlier release wrote.

Each `lake-<release>.zip` was made by that release's own code from the first two days of `days.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from jobs import run as run_py
from jobs.catalog import ops_tables, register_glue_tables
from jobs.lake import settings, tables
from jobs.lake.delta import changes, log
from jobs.lake.run import Run
from jobs.lake.state import history, ledger, objects
from jobs.maintenance import history as fold_history
from tests import lakes
from tests.infra.local.aws.athena.engine import Athena, GlueCatalog
from tests.jobs.lakehouse import ACCOUNTS, EVENTS, ORDERS, RATES, build, by, newest, record, rows
from tests.upgrade import days, kept_lake

KEPT = sorted(Path(__file__).parent.glob("lake-*.zip"))


@pytest.fixture(params=KEPT, ids=lambda file: file.stem)
def earlier(
    request: pytest.FixtureRequest, lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """The earlier release's lake; returns its content as that release read it."""
    monkeypatch.setattr(changes, "FILES_KEPT", timedelta(days=36_500))  # as if it were a week old at most
    with lakes.empty(lake_environment):
        content = kept_lake.unpack(request.param)
        lakehouse = tables.pipeline("lakehouse")
        known = tuple(table for table in lakehouse.tables if table.name in content)
        monkeypatch.setattr(tables, "PIPELINES", (replace(lakehouse, tables=known),))  # others came later
        yield content
    lakes.forget_frames()


def test_there_is_a_lake_of_the_release_before() -> None:
    assert KEPT


@pytest.mark.slow
def test_every_row_is_read_as_the_earlier_release_read_it(spark: SparkSession, earlier: dict[str, Any]) -> None:
    assert {*BATCHES, EVENTS, "silver.orders", "gold.fact_orders", "quarantine.orders"} <= earlier.keys()
    assert kept_lake.content(spark) == earlier


def test_every_commit_record_is_understood(spark: SparkSession, earlier: dict[str, Any]) -> None:
    for name in earlier:
        made = [commit for commit in log.commits(settings.lake().uri(name)) if commit.operation != "CREATE TABLE"]
        assert made, name
        for commit in made:
            assert commit.record, f"{name} version {commit.version}"
            assert commit.record.run_id, f"{name} version {commit.version}"
            assert commit.counts, f"{name} version {commit.version}"
            assert commit.counts.read == commit.counts.accounted


@pytest.mark.slow
def test_next_day_reads_just_what_is_new_and_comes_to_what_a_rebuild_gives(
    spark: SparkSession, earlier: dict[str, Any]
) -> None:
    read_to = {name: objects.read_json(f"_checkpoints/{tables.table(name).source}/watermark.json") for name in BATCHES}

    days.go(spark, 3, code="this release")

    for name in BATCHES:  # from the earlier release's watermark, less the overlap
        assert record(name)["window_start"] == str(_less_overlap(name, read_to[name]["end"]))
    orders = record("silver.orders")
    assert orders["since"] == {ORDERS: 2, EVENTS: 3}, "only what came since is read"
    assert (orders["read"], orders["quarantined"]) == (5, 1)
    assert by("silver.orders", "order_id", "status")["K1"] == "SHIPPED"
    assert by("gold.dim_customers", "id", "is_inferred")["C9"] is False
    assert len(rows("bronze.orders_dlq")) == 3

    _assert_same_shape()

    published = {name: rows(name) for name in ("silver.orders", "gold.fact_orders", "gold.dim_customers")}
    without_quotes = sum(row["per_euro"] is None for row in rows("silver.fx_rates"))
    assert without_quotes == 8, "days that this release has not read"
    for name, written in (("silver.orders", 0), ("silver.fx_rates", 8), ("silver.salesforce_accounts", 0)):
        assert build(name, "rebuild", full_refresh=True)["written"] == written, name
    assert {name: rows(name) for name in published} == published


def test_lineage_reaches_back_into_the_earlier_release(
    spark: SparkSession, earlier: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run_py.perform(Run("by-hand", "lineage", subject="gold.fact_orders"))

    out = capsys.readouterr().out
    assert "bronze.snowflake_orders version" in out
    assert "from snowflake/orders the beginning to 2026-10-02T00:00:00+00:00" in out


@pytest.mark.slow
def test_records_are_the_same_behind_a_view_and_after_their_fold(
    earlier: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own catalog has tables of JSON."""
    glue: Any = boto3.client("glue")
    for database in glue.get_databases()["DatabaseList"]:
        glue.delete_database(Name=database["Name"])
    glue.create_database(DatabaseInput={"Name": "ops"})
    for kind in ops_tables.TABLES:
        entry = {**kind.table_input(settings.lake().bucket), "Name": kind.name.partition(".")[2]}
        parameters = {"EXTERNAL": "TRUE", "classification": "json"}
        glue.create_table(DatabaseName="ops", TableInput={**entry, "PartitionKeys": [], "Parameters": parameters})
    records = {kind.name: len(objects.keys(kind.folder)) for kind in ops_tables.TABLES}
    monkeypatch.setattr(history, "KEPT", timedelta(days=-1))  # as if it were older than a week
    monkeypatch.setattr(fold_history, "LONGEST_QUERY", timedelta(0))

    def asked(name: str) -> Any:
        return Athena(tmp_path, GlueCatalog()).result(f"SELECT * FROM {name} ORDER BY 1, 2, 3, 4, 5, 6, 7")

    register_glue_tables.register(Run("r", "register"))
    before = {name: asked(name) for name in records}
    for _ in range(2):
        run_py.perform(Run("r", "maintenance.fold_history"))
        assert {name: asked(name) for name in records} == before

    assert {name: len(rows) for name, (_, rows) in before.items()} == records
    assert min(records.values()) > 0
    assert [key for kind in ops_tables.TABLES for key in objects.keys(kind.folder)] == []


BATCHES = (RATES, ACCOUNTS, ORDERS)


def _less_overlap(name: str, end: str) -> str:
    from jobs.lake.run import utc

    return (utc(end) - timedelta(hours=tables.table(name).overlap_hours)).isoformat()


def _assert_same_shape() -> None:
    """The newest two records of the ledger, one of each release, have the same types."""
    s3: Any = boto3.client("s3")
    for name in (ORDERS, "silver.orders", "gold.fact_orders"):
        old, new = (
            json.loads(s3.get_object(Bucket=settings.lake().bucket, Key=key)["Body"].read())
            for key in (objects.keys(f"ops/run_ledger/{name}/")[-1], ledger.key(name, newest(name)))
        )
        kinds = {key: type(value) for key, value in new.items()}
        assert {key: type(value) for key, value in old.items() if value is not None}.items() <= kinds.items(), name
