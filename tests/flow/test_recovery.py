"""One night in which everything happens at once; whatever stops says what to do, and at the end all is as it should be.

All three DAGs run at one midnight under one run id. Then bronze is restored, a silver table and the stream's tables
are dropped, the source corrects an order without a new stamp and deletes another, a rule is tightened, and a customer
is erased. The person follows what the errors say, and does nothing else.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.seeds import Order
from infra.local.sources.seed import connect
from jobs.lake import tables
from tests.flow import expected_gold
from tests.flow.conftest import DAG, Platform, checkout, started
from tests.flow.test_orders_stream import DEAD, EVENTS, REFRESH, STREAM, streams, unpaused, wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PORT = 18800
NUMBER = 200
ORDERS, SILVER, ACCOUNTS = "bronze.snowflake_orders", "silver.orders", "silver.salesforce_accounts"
LARGEST = Decimal(90_000)  # the tightened rule allows no more
RULE = "kwargs: {column: amount, min_value: 0}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own, in which a rule can be changed."""
    return checkout(tmp_path_factory.mktemp("tree") / "sluice")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, tree: Path) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("recovery"), PORT, tree) as running:
        yield running


def source(platform: Platform, *statements: str) -> None:
    """Changes Snowflake's ORDERS."""
    with connect(platform.addresses) as connection:
        for statement in statements:
            connection.cursor().execute(statement)


def drop(platform: Platform, table: str) -> None:
    delete(platform, f"{table.replace('.', '/')}/")


def delete(platform: Platform, prefix: str) -> None:
    s3, bucket = platform.client("s3"), platform.addresses.lake_bucket
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for entry in [entry for page in pages for entry in page.get("Contents", [])]:
        s3.delete_object(Bucket=bucket, Key=entry["Key"])


def clear(platform: Platform, run_id: str, *tasks: str) -> None:
    """Clears tasks of a daily run and all that come after them."""
    url = f"{platform.addresses.airflow}/api/v2/dags/{DAG}/clearTaskInstances"
    asked = {
        "dry_run": False, "dag_run_id": run_id, "task_ids": list(tasks), "include_downstream": True,
        "only_failed": False, "reset_dag_runs": True,
    }  # fmt: skip
    answer = requests.post(url, json=asked, timeout=60)
    assert answer.ok, answer.text


def log(platform: Platform, run_id: str, task: str, dag: str = DAG) -> str:
    (found,) = [each for each in platform.airflow.tasks(dag, run_id) if each.task == task]
    return "\n".join(platform.airflow.log(dag, run_id, task, found.attempt))


def rows(platform: Platform, table: str) -> list[dict[str, Any]]:
    return list(platform.table(table).to_pyarrow_table().to_pylist())


def arrived(platform: Platform) -> int:
    try:
        return int(platform.table(EVENTS).count()) + int(platform.table(DEAD).count())
    except Exception:  # the stream has not made its tables yet
        return 0


def green(states: dict[str, str]) -> bool:
    return set(states.values()) == {"success"}


def test_night_in_which_everything_happens(platform: Platform, tree: Path) -> None:
    seeds = platform.seeds
    (first_run,) = [run["dag_run_id"] for run in platform.airflow.runs(DAG)]
    moment = datetime.now(UTC).replace(tzinfo=None)
    customer, day = str(seeds.accounts[0].account_number), seeds.orders[0].order_date
    new = f"'N1', '{customer}', '{day}', 'EUR', 12.50, 'PLACED', '{moment}'"
    source(platform, f"INSERT INTO PUBLIC.ORDERS VALUES ({new})")
    assert platform.command("events", str(NUMBER), "--broken", "5").returncode == 0
    unpaused(platform, STREAM)
    wait(lambda: arrived(platform) == NUMBER, 200, "not all messages came")

    # A midnight: all DAGs have a run of the same id.
    before_midnight = platform.table(ORDERS).version()
    night = [platform.trigger(dag, run_id="midnight") for dag in (DAG, REFRESH, STREAM)]
    for dag, run_id in zip((DAG, REFRESH, STREAM), night, strict=True):
        states = platform.wait(run_id, 900, dag)
        assert green(states), (dag, states)
    platform.airflow.pause(REFRESH, True)
    sent = {(row["partition"], row["offset"]) for name in (EVENTS, DEAD) for row in rows(platform, name)}
    streamed = {row["order_id"]: row for row in rows(platform, SILVER) if row["source"] == "kafka"}
    assert {row["order_id"] for row in rows(platform, SILVER)} >= {"N1"}

    # What happens to the lake, to the source and to the code.
    platform.table(ORDERS).restore(before_midnight)
    drop(platform, ACCOUNTS)
    good = [order for order in seeds.orders if not order.defects and order.amount < LARGEST]
    corrected, gone = good[0], good[1]
    others = {corrected.customer_id, gone.customer_id}
    erased = next(order.customer_id for order in good[2:] if order.customer_id not in others)
    source(
        platform,
        f"UPDATE PUBLIC.ORDERS SET AMOUNT = 77.70 WHERE ORDER_ID = '{corrected.order_id}'",
        f"DELETE FROM PUBLIC.ORDERS WHERE ORDER_ID = '{gone.order_id}'",
    )
    suite = tree / "dq" / "suites" / "silver" / "orders.yaml"
    assert suite.read_text().count(RULE) == 1
    suite.write_text(suite.read_text().replace(RULE, RULE[:-1] + f", max_value: {LARGEST}}}"))

    # The stream's tables are dropped: it stops, and says what to delete.
    platform.wait(platform.trigger(STREAM, action="stop"), dag=STREAM)
    wait(lambda: not streams(platform, "RUNNING", "CANCELLING"), 200, "the stream does not stop")
    for name in (EVENTS, DEAD):
        drop(platform, name)
    platform.trigger(STREAM, action="run")
    failed = wait(lambda: streams(platform, "FAILED"), 200, "the stream does not notice that its table is empty")
    platform.airflow.pause(STREAM, True)
    said = log_of_driver(platform, failed[0]["id"])
    witness = "_checkpoints/kafka/orders/watermark.json"
    assert "CheckpointLostError" in said
    assert f"delete s3://{platform.addresses.lake_bucket}/{witness}" in said
    delete(platform, witness)
    platform.trigger(STREAM, action="run")
    wait(lambda: arrived(platform) == NUMBER, 300, "the stream does not begin again")
    again = {(row["partition"], row["offset"]) for name in (EVENTS, DEAD) for row in rows(platform, name)}
    assert again == sent
    platform.airflow.pause(STREAM, True)

    # The next run, with the new release, reads the lost day again, and builds silver from bronze as it is now.
    handed_over = platform.command("run")
    assert handed_over.returncode == 0, handed_over.stdout
    run_id = platform.trigger()
    states = platform.wait(run_id, 900)
    assert green(states), (states, log(platform, run_id, "gate.silver")[-3000:])

    # A customer is erased, at the source and by hand in the lake: the gate names what was done by hand in silver.
    source(platform, f"DELETE FROM PUBLIC.ORDERS WHERE CUSTOMER_ID = '{erased}'")
    for name in (ORDERS, SILVER):
        platform.table(name).delete(f"customer_id = '{erased}'")
    run_id = platform.trigger()
    states = platform.wait(run_id, 900)
    assert states["gate.silver"] == "failed", states
    said = log(platform, run_id, "gate.silver")
    assert "another program changed rows (DELETE)" in said
    assert f"`commits.accept {SILVER} --who NAME --why REASON` and clear the gate" in said
    done = platform.command("job", "commits.accept", SILVER, "--who", "Ann", "--why", "erasure-17")
    assert done.returncode == 0, done.stdout
    clear(platform, run_id, "gate.silver")
    states = platform.wait(run_id, 900)
    assert green(states), (states, log(platform, run_id, "gate.silver")[-3000:])

    # An order that was corrected or deleted without a new stamp: the run that read it is run again.
    clear(platform, first_run, *(table.name for table in tables.layer("bronze") if not table.continuous))
    states = platform.wait(first_run, 900)
    assert green(states), (states, log(platform, first_run, "gate.silver")[-3000:])
    states = platform.wait(platform.trigger(REFRESH), 600, REFRESH)
    assert green(states), states
    platform.airflow.pause(REFRESH, True)

    # All is what the sources say.
    kept = [
        replace(order, amount=Decimal("77.70")) if order.order_id == corrected.order_id else order
        for order in seeds.orders
        if order.order_id != gone.order_id and order.customer_id != erased
    ]
    kept = [order for order in kept if order.amount is None or order.amount <= LARGEST]
    new_order = Order("N1", customer, day, "EUR", Decimal("12.50"), "PLACED", moment.replace(tzinfo=UTC))
    expected = expected_gold.facts(replace(seeds, orders=(*kept, new_order)))
    facts = {row["order_id"]: row for row in rows(platform, "gold.fact_orders")}
    late = {name for name, row in streamed.items() if row["amount"] <= LARGEST and row["customer_id"] != erased}
    assert facts.keys() == expected.keys() | late
    for order_id, (who, ordered, currency, amount, usd, status, rated) in expected.items():
        fact = facts[order_id]
        assert (fact["customer_id"], fact["order_date"], fact["currency"]) == (who, ordered, currency), order_id
        assert (fact["amount_native"], fact["status"], fact["fx_as_of_date"]) == (amount, status, rated), order_id
        assert fact["amount_usd"] == usd, order_id
    for order_id in late:
        assert (facts[order_id]["amount_native"], facts[order_id]["status"]) == (
            streamed[order_id]["amount"], streamed[order_id]["status"],
        )  # fmt: skip
    silver = {row["order_id"] for row in rows(platform, SILVER)}
    quarantined = rows(platform, "quarantine.orders")
    assert silver == facts.keys()
    assert any("amount be_between" in row["rule"] for row in quarantined)
    accounts = {row["id"] for row in rows(platform, ACCOUNTS)}
    assert accounts == {account.id for account in seeds.accounts if account.account_number}


def log_of_driver(platform: Platform, job_run: str) -> str:
    """What a job run's driver wrote, in all its attempts."""
    s3, bucket = platform.client("s3"), platform.addresses.logs_bucket
    prefix = f"applications/{platform.addresses.emr_application_id}/jobs/{job_run}/"

    def found() -> str:
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        return "\n".join(gzip.decompress(body).decode(errors="replace") for body in bodies)

    return str(wait(found, 60, f"{job_run} left no log"))
