"""What an operator does on a whole platform: an emergency stop in the middle of all, and restores by clicks in Airflow.

Afterwards, gold is what an independent computation from the sources gives.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from infra.local.addresses import REPOSITORY
from infra.local.seeds import Order
from tests.flow import expected_gold
from tests.flow.conftest import DAG, Platform, started
from tests.flow.test_killed_drivers import changed
from tests.flow.test_orders_stream import DEAD, EVENTS, REFRESH, STREAM, streams, unpaused, wait
from tests.flow.test_recovery import ORDERS, SILVER, arrived, green, log, rows
from tests.flow.test_stumbles import job_runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
PORT = 18880
NUMBER = 400
LIVE = ("SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING")
RESTORE, FACTS = "restore_table", "gold.fact_orders"
BY_HAND = {"canary", "emergency_stop", RESTORE}  # they have no schedule, and stay as they are


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("operator"), PORT) as running:
        yield running


def live(platform: Platform) -> list[str]:
    emr, application = platform.client("emr-serverless"), platform.addresses.emr_application_id
    return [run["name"] for run in emr.list_job_runs(applicationId=application, states=list(LIVE))["jobRuns"]]


def paused(platform: Platform) -> dict[str, bool]:
    answer = requests.get(f"{platform.addresses.airflow}/api/v2/dags", params={"limit": 100}, timeout=60)
    return {dag["dag_id"]: dag["is_paused"] for dag in answer.json()["dags"]}


def orders_as_in_gold(platform: Platform, orders: dict[str, Order]) -> None:
    """Gold has each order of the seeds as its source has it now, and each streamed one in its newest state."""
    seeds = platform.seeds
    now = replace(seeds, orders=tuple(orders.get(order.order_id, order) for order in seeds.orders))
    expected = {key: (row[3], row[4], row[5]) for key, row in expected_gold.facts(now).items()}
    found = {row["order_id"]: (row["amount_native"], row["amount_usd"], row["status"]) for row in rows(platform, FACTS)}
    newest: dict[str, dict[str, Any]] = {}
    for event in sorted(rows(platform, EVENTS), key=lambda row: row["event_timestamp"]):
        newest[event["order_id"]] = event
    assert {key: value for key, value in found.items() if key not in newest} == expected
    assert {key: found[key][2] for key in newest} == {key: row["status"] for key, row in newest.items()}
    assert len(newest) > NUMBER / 5


def test_emergency_stop_in_the_middle_of_a_run_and_of_the_stream_loses_and_doubles_nothing(platform: Platform) -> None:
    platform.command("events", str(NUMBER // 2), "--broken", "5")
    unpaused(platform, STREAM)
    wait(lambda: arrived(platform) >= NUMBER // 2, 240, "the stream reads nothing")
    good = [order for order in platform.seeds.orders if not order.defects]
    now = {order.order_id: changed(platform, order, number) for number, order in enumerate(good[:20], 100)}
    run_id = platform.trigger(run_id="stopped")
    before = paused(platform)
    assert (before[DAG], before[STREAM], before[REFRESH]) == (False, False, True)
    wait(lambda: job_runs(platform, run_id, SILVER, "RUNNING"), 240, "silver does not run")
    platform.command("events", str(NUMBER - NUMBER // 2), "--broken", "5")

    stopped = platform.command("emergency", "stop", "--who=Ann", "--why=a drill")

    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert live(platform) == []
    assert not streams(platform, "RUNNING")
    scheduled = set(before) - BY_HAND
    assert scheduled
    assert {dag for dag, is_paused in paused(platform).items() if is_paused} >= scheduled
    assert "silver.orders" in stopped.stdout, stopped.stdout

    undone = platform.command("emergency", "undo", "--who=Ann", "--why=the drill is over")

    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert paused(platform) == before
    states = platform.wait(run_id, 900)
    assert green(states), states
    wait(lambda: streams(platform, "RUNNING"), 400, "the stream does not go on")
    wait(lambda: arrived(platform) == NUMBER, 240, f"{arrived(platform)} of {NUMBER} messages came")
    places = [(row["partition"], row["offset"]) for name in (EVENTS, DEAD) for row in rows(platform, name)]
    assert len(places) == len(set(places)) == NUMBER
    assert green(platform.wait(platform.trigger(), 900)), "the next run takes what was streamed meanwhile"
    orders_as_in_gold(platform, now)


def content(platform: Platform, table: str, version: int | None = None) -> list[list[tuple[str, Any]]]:
    """The rows of a version, by default the newest, without what says when and by which read they came.

    Bronze has a row once for each read of it, and each run reads the last hour's again: here it counts once.
    """
    found, read = platform.table(table), ("_batch_id", "_ingested_at")
    if version is not None:
        found.load_as_version(version)
    listed = found.to_pyarrow_table().to_pylist()
    kept = [[(name, value) for name, value in row.items() if name not in read] for row in listed]
    if table == ORDERS:
        kept = [row for number, row in enumerate(kept) if row not in kept[:number]]
    return sorted(kept, key=str)


def clicked(platform: Platform, **fields: Any) -> str:
    """Starts `restore_table` with the form of Airflow's UI; returns the run's id."""
    platform.airflow.pause(RESTORE, False)
    python = REPOSITORY / ".venv" / "airflow" / "bin" / "python"
    words = [python, "-m", "tests.flow.airflow_form", platform.addresses.airflow, RESTORE, json.dumps(fields)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.mark.parametrize("table", [ORDERS, SILVER, FACTS])
def test_table_that_was_restored_by_clicks_is_the_same_again_after_the_next_run(platform: Platform, table: str) -> None:
    order = next(order for order in platform.seeds.orders[50:] if not order.defects)
    changed(platform, order, {ORDERS: 201, SILVER: 202, FACTS: 203}[table])
    assert green(platform.wait(platform.trigger(), 900))
    everything = {name: content(platform, name) for name in (ORDERS, SILVER, FACTS)}
    newest = platform.table(table).version()
    earlier = next(v for v in range(newest - 1, -1, -1) if content(platform, table, v) != everything[table])

    shown = clicked(platform, table=table, version=earlier)
    states = platform.wait(shown, 400, RESTORE)
    assert "success" in states.values(), states
    assert platform.table(table).version() == newest, "a dry run changes nothing"
    asked = {"table": table, "version": earlier, "dry_run": False, "who": "Ann", "why": "a drill"}
    restored = clicked(platform, **asked)
    states = platform.wait(restored, 400, RESTORE)
    (task,) = [name for name, state in states.items() if state == "success"]
    assert "would" not in log(platform, restored, task, RESTORE).splitlines()[-1]
    assert content(platform, table) != everything[table]

    assert green(platform.wait(platform.trigger(), 900))

    assert {name: content(platform, name) for name in everything} == everything
