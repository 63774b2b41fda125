"""The whole flow under Terraform's policies: each role does its work with what it is granted, and uses all of it.

With SLUICE_RECORD=1 what was used is written to `infra/policies/recorded.yaml` instead of compared with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from infra.local.aws.access import policies
from infra.policies import recorded
from infra.policies.__main__ import main as policies_command
from jobs.lake.state import stream_control
from tests.flow.conftest import DAG, Platform, started
from tests.flow.test_orders_stream import DEAD, EVENTS, REFRESH, STREAM, streams, unpaused, wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PORT = 18660
NUMBER, BROKEN = 200, 10  # messages, and per cent of them
SILVER, FACTS = "silver.orders", "gold.fact_orders"
RESTORE, HOUSEKEEPING, REPORT = "restore_table", "weekly_housekeeping", "daily_report"
BY_HAND = (
    f"history {SILVER}",
    f"lineage {FACTS}",
    "lease.show",
    f"lease.break {SILVER}",
    f"commits.accept {SILVER} --who Ann --why drill",
    "quarantine.count",
    f"quarantine.list {SILVER}",
    f"quarantine.replay {SILVER}",
    f"dlq.count {DEAD}",
    f"dlq.sample {DEAD}",
    f"dlq.replay {DEAD}",
    f"stream.accept_gap {EVENTS}",
    f"stream.accept_checkpoint {EVENTS}",
    f"restore {SILVER} --version 1 --dry-run",
    "maintenance.empty_rejected --dry-run",
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("policies"), PORT, first="up") as running, limited(running):
        yield running


@contextmanager
def limited(platform: Platform) -> Iterator[None]:
    """Lets the platform refuse what Terraform's policies do not allow."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SLUICE_HOME", "SLUICE_PORT"):
            patch.setenv(name, platform.environment[name])
        assert policies_command(["enforce"]) == 0
        yield


def green(states: dict[str, str]) -> bool:
    return set(states.values()) <= {"success", "skipped"}


def dag(platform: Platform, name: str, **conf: Any) -> dict[str, str]:
    return platform.wait(platform.trigger(name, **conf), 900, name)


def last_monday() -> datetime:
    """Noon of a Monday that is over."""
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return now - timedelta(days=now.weekday() or 7)


def by_hand(platform: Platform, step: str) -> str:
    """Runs a step by hand; what it printed. It may have nothing to do, but is never refused."""
    done = platform.command("job", step)
    assert "not authorized" not in done.stdout + done.stderr, f"{step}: {done.stdout}"
    return done.stdout


def streamed(platform: Platform) -> None:
    """Messages to gold, by the stream and the refresh."""
    assert platform.command("events", str(NUMBER), "--broken", str(BROKEN)).returncode == 0
    assert unpaused(platform, STREAM)["orders_events.keep_alive"] == "success"
    wait(lambda: streams(platform, "RUNNING"), 90, "no stream runs")
    wait(lambda: caught_up(platform), 240, "the stream does not catch up")
    assert green(dag(platform, STREAM)), "the stream is not watched"
    assert green(dag(platform, REFRESH))


def caught_up(platform: Platform) -> bool:
    s3, bucket = platform.client("s3"), platform.addresses.lake_bucket
    try:
        report = json.loads(s3.get_object(Bucket=bucket, Key=stream_control.report_key(EVENTS))["Body"].read())
    except s3.exceptions.NoSuchKey:
        return False
    return bool(report.get("lag") == 0 and int(platform.table(DEAD).count()) > 0)


def restored(platform: Platform) -> None:
    """A restore that fails opens an alert, and one that succeeds closes it."""
    asked = {"dry_run": False, "who": "Ann", "why": "a drill"}
    assert "failed" in dag(platform, RESTORE, **asked, table=SILVER, version=999).values()
    for table in (SILVER, FACTS, "bronze.snowflake_orders"):
        version = platform.table(table).version() - 1
        assert green(dag(platform, RESTORE, **asked, table=table, version=version)), table


def looked_at(platform: Platform) -> None:
    """A person opens the pages of quality."""
    airflow, s3 = platform.addresses.airflow, platform.client("s3")
    token = requests.get(f"{airflow}/auth/token", timeout=60).json()["access_token"]
    results = s3.list_objects_v2(Bucket=platform.addresses.lake_bucket, Prefix="gold/quality/day=")["Contents"]
    for page in ("", f"tables/{SILVER}", results[0]["Key"].replace("gold/quality/", "results/")):
        answer = requests.get(f"{airflow}/quality/{page}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        assert answer.ok, answer.text


def stopped_and_undone(platform: Platform) -> None:
    for action in ("stop", "undo"):
        done = platform.command("emergency", action, "--who=Ann", "--why=a drill")
        assert done.returncode == 0, done.stdout + done.stderr


def test_whole_flow_runs_under_the_policies_and_uses_what_is_recorded(platform: Platform) -> None:
    assert green(dag(platform, "canary"))  # as after each deployment
    ran = platform.command("run")
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    streamed(platform)
    for step in BY_HAND:
        by_hand(platform, step)
    restored(platform)
    assert green(dag(platform, DAG))
    assert green(dag(platform, HOUSEKEEPING))
    for day in (None, last_monday()):  # on Mondays the week's trend is told
        assert green(platform.wait(platform.trigger(REPORT, logical_date=day), 900, REPORT))
    assert green(dag(platform, "canary"))  # which finds the table of the first
    looked_at(platform)
    platform.trigger()
    stopped_and_undone(platform)
    platform.wait(platform.trigger(STREAM, action="stop"), dag=STREAM)

    used = recorded.of_platform(platform.addresses)
    if os.environ.get("SLUICE_RECORD") == "1":
        recorded.write(used)
    known = recorded.read()
    new = {role: sorted(uses - known[role]) for role, uses in used.items() if uses - known[role]}
    gone = {role: sorted(uses - used[role]) for role, uses in known.items() if uses - used[role]}
    assert (new, gone) == ({}, {}), "run `make policies-record`, and look at what has changed"


def test_step_without_one_permission_fails_and_names_it(platform: Platform) -> None:
    file = policies.file(platform.addresses.home)
    whole = file.read_text()
    documents = json.loads(whole)
    for statement in documents["sluice-job-gate"]["Statement"]:
        if "s3:GetObject" in policies.as_list(statement["Action"]):
            kept = [each for each in policies.as_list(statement["Resource"]) if "/silver/" not in each]
            statement["Resource"] = kept
    file.write_text(json.dumps(documents))
    try:
        run_id = platform.trigger()
        states = platform.wait(run_id, 900)
    finally:
        file.write_text(whole)
    assert states["gate.silver"] == "failed", states
    (gate,) = [task for task in platform.airflow.tasks(DAG, run_id) if task.task == "gate.silver"]
    said = "\n".join(platform.airflow.log(DAG, run_id, "gate.silver", gate.attempt))
    assert "assumed-role/sluice-job-gate/" in said
    assert "s3:GetObject" in said
