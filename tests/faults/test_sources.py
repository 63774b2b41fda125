"""A source that fails ends its task with an error that names it and what to do; nothing is half-written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta

import boto3
import pytest
from pyspark.sql import SparkSession

from infra.local.sources.ecb.history import newest
from jobs import run as run_py
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.lake.run import Run
from jobs.lake.state import objects
from tests.faults.conftest import NAMES, Sources

END = datetime.combine(newest() + timedelta(days=1), time(), UTC)
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there
BRONZE = [table.name for table in tables.layer("bronze") if table.system in NAMES]


def ingest(step: str) -> None:
    run_py.perform(Run(run_id="run", step=step, window_start=END - timedelta(days=1), window_end=END))


def assert_nothing_written(step: str) -> None:
    assert log.version(settings.lake().uri(step)) is None
    assert objects.read_json(f"_checkpoints/{tables.table(step).source}/watermark.json") is None


def assert_fails(step: str, kind: type[LakeError], *words: str) -> None:
    """The step ends in this kind of error, whose message has these words and says what to do."""
    with pytest.raises(kind) as caught:
        ingest(step)
    assert type(caught.value) is kind
    for word in words:
        assert word in str(caught.value)
    assert_nothing_written(step)


def change_secret(lake: str, source: str, **values: str) -> None:
    manager = boto3.client("secretsmanager")
    name = f"{lake}/{source}/credentials"
    known = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    manager.put_secret_value(SecretId=name, SecretString=json.dumps({**known, **values}))


@pytest.mark.parametrize("step", BRONZE)
def test_a_healthy_source_is_read_whole(spark: SparkSession, sources: Sources, step: str) -> None:
    ingest(step)
    assert spark.read.format("delta").load(settings.lake().uri(step)).count() >= 20
    assert objects.read_json(f"_checkpoints/{tables.table(step).source}/watermark.json")["end"] == END.isoformat()


@pytest.mark.parametrize(
    ("step", "variable", "word"),
    [
        ("bronze.salesforce_accounts", "SALESFORCE_ENDPOINT_URL", "salesforce"),
        ("bronze.snowflake_orders", "SNOWFLAKE_ENDPOINT_URL", "snowflake"),
        ("bronze.fx_rates", "FX_RATES_URL", "ECB"),
    ],
)
def test_a_source_that_is_down_is_named_and_tried_again(
    spark: SparkSession, sources: Sources, monkeypatch: pytest.MonkeyPatch, step: str, variable: str, word: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(variable, NOWHERE)
        assert_fails(step, TransientError, word, "Nothing was written", "again")
    ingest(step)
    assert log.version(settings.lake().uri(step)) is not None


@pytest.mark.parametrize("source", ["salesforce", "snowflake"])
def test_a_wrong_password_names_the_secret_and_never_shows_it(
    spark: SparkSession, sources: Sources, lake: str, source: str
) -> None:
    step = {"salesforce": "bronze.salesforce_accounts", "snowflake": "bronze.snowflake_orders"}[source]
    change_secret(lake, source, password="not-the-password")
    assert_fails(step, ConfigurationError, source, "log-in refused", f"{source}/credentials")
    with pytest.raises(ConfigurationError) as caught:
        ingest(step)
    assert "not-the-password" not in str(caught.value)


@pytest.mark.parametrize("source", ["salesforce", "snowflake"])
def test_a_missing_secret_is_named(spark: SparkSession, sources: Sources, lake: str, source: str) -> None:
    step = {"salesforce": "bronze.salesforce_accounts", "snowflake": "bronze.snowflake_orders"}[source]
    boto3.client("secretsmanager").delete_secret(
        SecretId=f"{lake}/{source}/credentials", ForceDeleteWithoutRecovery=True
    )
    assert_fails(step, ConfigurationError, f"{lake}/{source}/credentials", "Create it")


def test_an_empty_salesforce_is_refused(spark: SparkSession, sources: Sources) -> None:
    sources.control("salesforce", "POST", "records/purge", {})
    assert_fails("bronze.salesforce_accounts", DataError, "salesforce", "not one Account", "permission")


def test_an_empty_snowflake_table_is_refused(spark: SparkSession, sources: Sources) -> None:
    sources.snowflake("DELETE FROM PUBLIC.ORDERS")
    assert_fails("bronze.snowflake_orders", DataError, "snowflake", "ORDERS has no rows", "Check")


def test_an_empty_feed_is_refused(spark: SparkSession, sources: Sources) -> None:
    sources.control("ecb", "PATCH", "overrides", {"until": "1998-01-01"})
    assert_fails("bronze.fx_rates", DataError, "ECB feed", "no rates at all")


def test_a_corrupt_line_of_the_feed_is_named_by_its_number(spark: SparkSession, sources: Sources) -> None:
    sources.control(
        "ecb", "PATCH", "overrides", {"until": str(newest()), "lines": {str(newest()): f"{newest()},1.1,oops"}}
    )
    assert_fails("bronze.fx_rates", DataError, "ECB feed", "line 2", "Nothing was written")


def test_a_changed_header_of_the_feed_is_refused(spark: SparkSession, sources: Sources) -> None:
    sources.control("ecb", "PATCH", "overrides", {"header": "Day;USD;JPY"})
    assert_fails("bronze.fx_rates", DataError, "ECB feed", "header", "Day;USD;JPY")


def test_a_feed_that_is_unavailable_is_tried_again(spark: SparkSession, sources: Sources) -> None:
    sources.control("ecb", "POST", "fail", {"kind": "unavailable"})
    assert_fails("bronze.fx_rates", TransientError, "ECB feed", "503")


def test_an_api_limit_during_a_read_leaves_nothing_and_the_next_try_reads_all(
    spark: SparkSession, sources: Sources
) -> None:
    sources.control("salesforce", "POST", "fail", {"kind": "rate_limit", "path": "/query", "after": 1})
    assert_fails("bronze.salesforce_accounts", TransientError, "salesforce", "REQUEST_LIMIT_EXCEEDED")
    ingest("bronze.salesforce_accounts")
    assert spark.read.format("delta").load(settings.lake().uri("bronze.salesforce_accounts")).count() > 0
