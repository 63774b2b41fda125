"""Messages to gold, whole: a broker, the stream that Airflow keeps alive, and the refresh that takes it to gold."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.athena import query
from jobs.lake.state import stream_control
from tests.flow.conftest import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
STREAM, REFRESH = "orders_stream", "orders_refresh"
EVENTS, DEAD = "bronze.orders_events", "bronze.orders_dlq"
NUMBER, BROKEN = 600, 10  # per cent
LOST = NUMBER * BROKEN // 100


def wait(condition: Callable[[], Any], seconds: float, why: str) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, why
        time.sleep(1)
    return found


def streams(platform: Platform, *states: str) -> list[dict[str, Any]]:
    """Job runs of the stream in these states, newest first."""
    emr, application = platform.client("emr-serverless"), platform.addresses.emr_application_id
    runs = emr.list_job_runs(applicationId=application, states=list(states))["jobRuns"]
    return sorted((run for run in runs if run["name"].startswith(STREAM)), key=lambda run: run["createdAt"])[::-1]


def report(platform: Platform) -> dict[str, Any]:
    s3, bucket = platform.client("s3"), platform.addresses.lake_bucket
    return dict(json.loads(s3.get_object(Bucket=bucket, Key=stream_control.report_key(EVENTS))["Body"].read()))


def unpaused(platform: Platform, dag: str) -> dict[str, str]:
    """Unpauses a DAG, which starts the run of its newest interval, and waits for its end; returns the states."""
    platform.airflow.pause(dag, False)
    (run, *_) = wait(lambda: platform.airflow.runs(dag), 60, f"{dag} starts no run")
    return platform.wait(run["dag_run_id"], dag=dag)


def asked(platform: Platform, statement: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in query(platform.addresses, statement).rows]


def test_what_was_sent_is_in_the_two_tables_by_kind(platform: Platform) -> None:
    sent = platform.command("events", str(NUMBER), "--broken", str(BROKEN))
    assert sent.returncode == 0, sent.stderr
    states = unpaused(platform, STREAM)
    assert states["orders_events.keep_alive"] == "success"
    (job,) = wait(lambda: streams(platform, "RUNNING"), 90, "no stream runs")
    assert job["mode"] == "STREAMING"

    def arrived() -> int:
        try:
            return int(platform.table(EVENTS).count()) + int(platform.table(DEAD).count())
        except Exception:  # the stream has not made its tables yet
            return 0

    wait(lambda: arrived() == NUMBER, 150, "not all messages came")
    kinds = dict(re.findall(r"^  (\w+) +(\d+)$", sent.stdout, re.M))
    assert dict(asked(platform, f"SELECT reason, COUNT(*) FROM {DEAD} GROUP BY reason")) == kinds
    assert sum(int(number) for number in kinds.values()) == LOST
    assert asked(platform, f"SELECT COUNT(*) FROM {EVENTS}") == [(str(NUMBER - LOST),)]


def test_stream_is_adopted_and_reports_that_nothing_waits(platform: Platform) -> None:
    (before,) = streams(platform, "RUNNING")
    wait(lambda: report(platform)["lag"] == 0, 30, "the stream does not catch up")

    states = platform.wait(platform.trigger(STREAM), dag=STREAM)

    assert set(states.values()) == {"success"}, states
    assert [run["id"] for run in streams(platform, "RUNNING")] == [before["id"]]


def test_refresh_takes_the_newest_state_of_each_order_to_gold(platform: Platform) -> None:
    states = unpaused(platform, REFRESH)

    platform.airflow.pause(REFRESH, True)
    assert set(states.values()) == {"success"}, states
    columns = ["order_id", "status", "amount", "event_timestamp", "offset", "value"]
    newest: dict[str, dict[str, Any]] = {}
    for row in platform.table(EVENTS).to_pyarrow_table(columns=columns).sort_by("event_timestamp").to_pylist():
        newest[row["order_id"]] = row
    silver = (
        platform.table("silver.orders").to_pyarrow_table(columns=["order_id", "status", "amount", "source"]).to_pylist()
    )
    streamed = {row["order_id"]: (row["status"], row["amount"]) for row in silver if row["source"] == "kafka"}
    assert streamed == {key: (row["status"], row["amount"]) for key, row in newest.items()}
    assert len(streamed) > NUMBER / 4
    facts = dict(asked(platform, "SELECT order_id, status FROM gold.fact_orders WHERE order_id LIKE 'EV-%'"))
    assert facts == {key: row["status"] for key, row in newest.items()}


def test_stream_stops_on_request_and_its_ledger_adds_up_in_athena(platform: Platform) -> None:
    states = platform.wait(platform.trigger(STREAM, action="stop"), dag=STREAM)

    assert states["orders_events.keep_alive"] == "success", states
    assert not streams(platform, "SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING")
    assert streams(platform, "SUCCESS"), "it drained, and was not cancelled"
    ((read, written, dead),) = asked(
        platform,
        f"SELECT SUM(read), SUM(written), SUM(dead_lettered) FROM ops.run_ledger WHERE table_name = '{EVENTS}'",
    )
    assert (int(read), int(written) + int(dead)) == (NUMBER, NUMBER)
