"""Sources to gold, whole: the daily DAG in Airflow on the local platform. Tests run in the order of this file."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from infra.local.addresses import REPOSITORY
from infra.local.athena import query
from infra.local.polling import wait_until
from infra.local.seeds import Defect
from infra.local.sources.ecb.history import newest
from jobs.lake import tables
from tests.flow import expected_gold
from tests.flow.conftest import DAG, DAYS, Platform

pytestmark = pytest.mark.timeout(1500)
RUNBOOK = (REPOSITORY / "docs" / "runbook.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", RUNBOOK, re.S)
COMMANDS = re.findall(r"```bash\n(.*?)```", RUNBOOK, re.S)
BUILT = [table.name for table in tables.every() if table.layer != "bronze"]


def rows(platform: Platform, table: str, *columns: str) -> list[tuple[Any, ...]]:
    read = platform.table(table).to_pyarrow_table(columns=list(columns))
    return list(zip(*(read.column(name).to_pylist() for name in columns), strict=True))


def written_files(platform: Platform, table: str) -> set[str]:
    return set(platform.table(table).file_uris())


def watermark(platform: Platform, source: str | None) -> dict[str, Any]:
    key = f"_checkpoints/{source}/watermark.json"
    body = platform.client("s3").get_object(Bucket=platform.addresses.lake_bucket, Key=key)["Body"].read()
    return dict(json.loads(body))


def ledger(platform: Platform, table: str) -> list[dict[str, Any]]:
    """The records of a table's commits, oldest first."""
    s3, bucket = platform.client("s3"), platform.addresses.lake_bucket
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="ops/run_ledger/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", []) if f"/{table}/" in entry["Key"]]
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def test_scheduled_days_end_green_and_print_gold(platform: Platform) -> None:
    runs = platform.airflow.runs(DAG)
    assert [run["state"] for run in runs] == ["success"] * DAYS
    assert platform.addresses.airflow in platform.output
    assert "customer" in platform.output


def test_facts_equal_an_independent_computation_from_the_source_rows(platform: Platform) -> None:
    expected = expected_gold.facts(platform.seeds)
    names = (
        "order_id", "customer_id", "order_date", "currency", "amount_native", "amount_usd", "status", "fx_as_of_date",
        "fx_reason",
    )  # fmt: skip
    actual = {row[0]: row[1:] for row in rows(platform, "gold.fact_orders", *names)}
    assert len(actual) > 250
    assert actual.keys() == expected.keys()
    for order_id, (*plain, usd, status, day) in expected.items():
        assert actual[order_id][:4] == tuple(plain), order_id
        assert actual[order_id][4:7] == (usd, status, day), order_id
        assert (actual[order_id][7] is None) == (usd is not None), order_id
    reasons = {(row[2], row[7]) for row in actual.values()}
    assert {("VND", "no_rate"), ("RUB", "rate_too_old"), ("BGN", None)} <= reasons


def test_customers_are_the_accounts_and_those_that_only_orders_know(platform: Platform) -> None:
    expected = expected_gold.customers(platform.seeds)
    assert dict(rows(platform, "gold.dim_customers", "id", "is_inferred")) == expected
    assert any(expected.values())
    assert not all(expected.values())


def test_each_bad_row_is_in_quarantine_with_its_reason(platform: Platform) -> None:
    bad = {Defect.NULL_AMOUNT, Defect.NEGATIVE_AMOUNT, Defect.LOWER_CASE_CURRENCY}
    wanted = {order.order_id for order in platform.seeds.orders if bad & set(order.defects)}
    kept = {
        json.loads(str(raw))["order_id"]: rule for raw, rule in rows(platform, "quarantine.orders", "raw_row", "rule")
    }
    assert wanted
    assert kept.keys() == wanted
    assert all(kept.values())


def test_every_row_read_is_accounted_for_in_the_ledger(platform: Platform) -> None:
    records = ledger(platform, "silver.orders")
    assert len(records) == DAYS
    parts = ("written", "unchanged", "superseded", "quarantined", "dead_lettered")
    for record in records:
        assert record["read"] == sum(record[part] for part in parts)
    assert sum(record["read"] for record in records) >= len(platform.seeds.orders)


@pytest.mark.parametrize("statement", QUERIES, ids=[q.splitlines()[0].strip("- ") for q in QUERIES])
def test_the_runbooks_queries_answer(platform: Platform, statement: str) -> None:
    result = query(platform.addresses, statement)
    assert bool(result.rows) != ("Duplicate order ids" in statement)


@pytest.mark.parametrize("block", COMMANDS, ids=[c.splitlines()[0][:40].strip("# ") for c in COMMANDS])
def test_the_runbooks_commands_work(platform: Platform, block: str) -> None:
    if "s3 rm" in block:
        block = block.replace("s3 rm", "s3 rm --dryrun")  # later tests need the watermark
    binaries = Path(platform.environment.get("VIRTUAL_ENV", REPOSITORY / ".venv" / "jobs")) / "bin"
    exports = platform.addresses.environment()
    environment = {**platform.environment, **exports, "PATH": f"{binaries}:{platform.environment['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_job_run_can_be_looked_up_as_on_aws(platform: Platform) -> None:
    emr = platform.client("emr-serverless")
    application = platform.addresses.emr_application_id
    runs = emr.list_job_runs(applicationId=application)["jobRuns"]
    assert len(runs) >= 10

    def ended() -> dict[str, Any] | None:
        run = emr.get_job_run(applicationId=application, jobRunId=runs[0]["id"])["jobRun"]
        return run if run["state"] in ("SUCCESS", "FAILED", "CANCELLED") else None

    run = wait_until(ended, seconds=150, pause=1)  # the newest is the runbook's housekeeping, which nobody waits for
    assert run["state"] == "SUCCESS"
    assert run["executionTimeoutMinutes"] > 0


def test_the_catalog_shows_types_and_comments(platform: Platform) -> None:
    table = platform.client("glue").get_table(DatabaseName="gold", Name="fact_orders")["Table"]
    columns = {column["Name"]: column for column in table["StorageDescriptor"]["Columns"]}
    assert columns["amount_usd"]["Type"] == "decimal(20,2)"
    assert all(column["Comment"] for column in columns.values())


def test_run_again_is_quick_and_changes_nothing(platform: Platform) -> None:
    before = {name: platform.table(name).version() for name in BUILT}
    again = platform.command("run")
    assert again.returncode == 0, again.stdout + again.stderr
    assert {name: platform.table(name).version() for name in BUILT} == before


def test_a_days_way_from_source_to_gold_adds_up_in_athena(platform: Platform) -> None:
    (statement,) = [statement for statement in QUERIES if "nothing is missing" in statement]
    result = query(platform.addresses, statement)
    ways = [row[0] for row in result.rows]
    assert {way: ways.count(way) for way in ways} == {
        "source to bronze": 3, "bronze to silver": 3, "bronze gave, silver read": 3, "silver to gold": 1,
    }  # fmt: skip
    assert {row[-1] for row in result.rows} == {"0"}
    assert sum(int(row[2]) for row in result.rows if row[0] == "silver to gold") > 250


@pytest.mark.slow
def test_a_backfill_reads_exactly_its_day_and_rewrites_no_file(platform: Platform) -> None:
    before = {name: written_files(platform, name) for name in BUILT}
    sources = [table for table in tables.layer("bronze") if not table.continuous]
    kept = [watermark(platform, table.source) for table in sources]
    day = newest() - timedelta(days=1)

    built = [table.name for table in sources] + ["silver.orders", "gold.fact_orders"]
    (run_id,) = platform.backfill(day, day, dag_run_conf={"tables": built})
    states = platform.wait(run_id)

    left_out = {"silver.fx_rates", "silver.salesforce_accounts", "gold.dim_customers"}
    assert states == {task: "skipped" if task in left_out else "success" for task in states}
    window = ["--window-start", f"{day}T00:00:00+00:00", "--window-end", f"{newest()}T00:00:00+00:00", "--exact"]
    for step, words in platform.arguments(run_id).items():
        if step.startswith("bronze."):
            assert [word for word in words if word in window] == window, step
    assert {name: written_files(platform, name) for name in BUILT} == before
    assert [watermark(platform, table.source) for table in sources] == kept


def test_a_critical_defect_closes_the_gate_and_leaves_gold_alone(platform: Platform) -> None:
    orders, whole = platform.table("silver.orders"), platform.table("silver.orders").version()
    doubled = orders.to_pyarrow_table().slice(0, 1)
    write_deltalake(orders, doubled, mode="append")
    before = {name: platform.table(name).version() for name in BUILT if name.startswith("gold")}
    read_to = datetime.fromisoformat(watermark(platform, "snowflake/orders")["end"])
    run_id = platform.trigger(tables=["bronze.snowflake_orders", "silver.orders", *before])
    states = platform.wait(run_id)
    assert (states["bronze.snowflake_orders"], states["bronze.fx_rates"]) == ("success", "skipped")
    overlap = timedelta(hours=tables.table("bronze.snowflake_orders").overlap_hours)
    read, built = ledger(platform, "bronze.snowflake_orders")[-1], ledger(platform, "silver.orders")[-1]
    assert datetime.fromisoformat(read["window_start"]) == read_to - overlap
    assert built["read"] == read["written"], "silver reads what is new in bronze and no more"
    assert states["gate.silver"] == "failed"
    assert {states[f"gold.{name}"] for name in ("dim_customers", "fact_orders")} == {"upstream_failed"}
    assert {name: platform.table(name).version() for name in before} == before
    (gate,) = [task for task in platform.airflow.tasks(DAG, run_id) if task.task == "gate.silver"]
    assert gate.attempt == 1, "a closed gate is never retried"
    log = "\n".join(platform.airflow.log(DAG, run_id, "gate.silver", 1))
    for word in ("silver.orders", "order_id be_unique", "Gold is unchanged", "never retried"):
        assert word in log
    platform.table("silver.orders").restore(whole)  # repaired, for the tests of other files
