"""A day on which AWS and Airflow stumble: no job run doubled, none orphaned, and gold as if nothing had happened.

EMR Serverless is away for three minutes while job runs live, and the triggerer is killed meanwhile. It goes once more
while tasks ask it, which lose their workers. A finished task is cleared beside a live job run. A DAG run is deleted
and made anew under its old id, for another window. No driver's log can be read. All drivers are cold.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import requests

from infra.local import processes
from infra.local.aws.emr import away
from tests.flow import expected_gold
from tests.flow.conftest import DAG, Platform, checkout, started

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]
PORT = 18820
AWAY_SECONDS = 180
LIVE = ("SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING")
BRONZE = "bronze.snowflake_orders"
# Airflow takes a silent worker for lost after five minutes, and looks for a lost scheduler's tasks as seldom. Here both
# take less than one. Every task waits in the triggerer, as on MWAA.
SETTINGS = {
    '"AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",': '"AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1", '
    '"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60", '
    '"AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",',
    '"SLUICE_WORKER_WAIT_SECONDS": "40",': '"SLUICE_WORKER_WAIT_SECONDS": "0",',
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    tree = checkout(tmp_path_factory.mktemp("tree") / "sluice")
    file = tree / "infra" / "local" / "airflow.py"
    for setting, other in SETTINGS.items():
        assert file.read_text().count(setting) == 1
        file.write_text(file.read_text().replace(setting, other))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_EMR_WARM", "0")  # cold drivers, which live for long enough
        with started(tmp_path_factory.mktemp("stumbles"), PORT, tree, "up") as running:
            yield running


def wait(condition: Any, seconds: float, why: str) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, why
        time.sleep(0.5)
    return found


def job_runs(platform: Platform, run_id: str, task: str = "", *states: str) -> list[dict[str, Any]]:
    """Job runs of a run's tasks, oldest first."""
    emr, application = platform.client("emr-serverless"), platform.addresses.emr_application_id
    asked = {"states": list(states)} if states else {}
    pages = emr.get_paginator("list_job_runs").paginate(applicationId=application, **asked)
    found = [run for page in pages for run in page["jobRuns"]]
    mine = [run for run in found if f" {run_id} " in run["name"] and f"/{task}" in run["name"]]
    return sorted(mine, key=lambda run: run["createdAt"])


def states(platform: Platform, run_id: str) -> dict[str, str]:
    return {each.task: each.state for each in platform.airflow.tasks(DAG, run_id)}


def kill(platform: Platform, part: str) -> int:
    """Kills all processes of a part without a word; the process manager starts it again. Answers how many."""
    killed = 0
    for member in processes.members(platform.addresses.home):
        with contextlib.suppress(psutil.Error):
            if member.part == part:
                member.process.kill()
                killed += 1
    return killed


@contextlib.contextmanager
def unreadable_logs(platform: Platform) -> Iterator[None]:
    """Whatever a driver logs to S3 is gone at once."""
    s3, bucket = platform.client("s3"), platform.addresses.logs_bucket
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(0.3):
            for entry in s3.list_objects_v2(Bucket=bucket, Prefix="applications/").get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=entry["Key"])

    sweeper = threading.Thread(target=sweep, daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        over.set()
        sweeper.join()


def api(platform: Platform, method: str, path: str, **body: Any) -> None:
    """A person's click, repeated while Airflow's database, SQLite on a laptop, is locked by another."""
    url = f"{platform.addresses.airflow}/api/v2/dags/{DAG}/{path}"
    for _ in range(6):
        answer = requests.request(method, url, json=body, timeout=60)
        if answer.status_code != 500:
            break
        time.sleep(5)
    assert answer.ok, answer.text


def test_day_on_which_aws_and_airflow_stumble(platform: Platform) -> None:
    day = platform.seeds.orders[0].order_date
    with unreadable_logs(platform):
        # EMR Serverless goes while a job run lives, and its task waits in the triggerer.
        platform.airflow.pause(DAG, False)
        (scheduled,) = wait(lambda: platform.airflow.runs(DAG), 60, "the day's run does not begin")
        run = scheduled["dag_run_id"]
        wait(lambda: job_runs(platform, run, BRONZE, "RUNNING"), 240, "no job run of bronze")
        wait(lambda: states(platform, run)[BRONZE] == "deferred", 60, "bronze does not wait in the triggerer")
        away.mark(platform.addresses.home).touch()
        assert kill(platform, "airflow-triggerer"), "no triggerer was there to kill"
        time.sleep(AWAY_SECONDS)
        away.mark(platform.addresses.home).unlink()

        # It goes once more when silver begins: who asks it now loses his worker.
        wait(lambda: "success" in states(platform, run).values(), 600, "bronze does not go on")
        away.mark(platform.addresses.home).touch()
        wait(lambda: "running" in states(platform, run).values(), 120, "no task asks EMR Serverless")
        time.sleep(5)
        # The workers are the scheduler's children. Killed alone, one of them may keep the lock of their queue for ever.
        assert kill(platform, "airflow-scheduler"), "no worker was there to kill"
        away.mark(platform.addresses.home).unlink()

        # A finished task is cleared while the job run of another one lives.
        wait(lambda: job_runs(platform, run, "silver.orders", "RUNNING"), 900, "silver does not go on")
        api(
            platform, "POST", "clearTaskInstances", dry_run=False, dag_run_id=run, task_ids=[BRONZE],
            include_downstream=False, only_failed=False, reset_dag_runs=False,
        )  # fmt: skip
        ended = platform.wait(run, 1500)
        assert set(ended.values()) == {"success"}, ended

        # A DAG run is deleted in mid-run, and made anew under its id for another window.
        window = {"window_start": f"{day}T00:00:00Z", "window_end": f"{day}T12:00:00Z"}
        anew = platform.trigger(run_id="anew", tables=[BRONZE], **window)
        (old,) = wait(lambda: job_runs(platform, anew, BRONZE, "RUNNING"), 240, "no job run to leave behind")
        api(platform, "PATCH", f"dagRuns/{anew}", state="failed")  # Airflow deletes none that runs
        api(platform, "DELETE", f"dagRuns/{anew}")
        platform.trigger(run_id=anew, tables=[BRONZE], **{**window, "window_end": f"{day}T18:00:00Z"})
        wait(lambda: states(platform, anew).get(BRONZE) == "success", 600, "bronze is not read anew")

    # None doubled: each work has ended well once for each time that it was asked for.
    every = [each for run_id in (run, anew) for each in job_runs(platform, run_id)]
    done = Counter(re.sub(r" try \d+$", "", each["name"]) for each in every if each["state"] == "SUCCESS")
    twice = [name for name, number in done.items() if number != 1]
    assert [name.partition("/")[2].split(" ")[:2] for name in twice] == [[BRONZE, run]], "only what was cleared"
    assert len(job_runs(platform, run, BRONZE, "SUCCESS")) == 2
    assert len(job_runs(platform, run, "", "SUCCESS")) == len(ended) + 1
    assert [each["id"] for each in every if each["state"] == "CANCELLED"] == [old["id"]], "only what was deleted"
    assert [each for each in every if each["state"] == "FAILED"] == []
    assert f"{day}T18:00:00+00:00" in " ".join(platform.arguments(anew)[BRONZE])
    # None orphaned: what lives is of a task that lives.
    live = {each["name"].partition("/")[2].partition(" ")[0] for each in job_runs(platform, anew, "", *LIVE)}
    assert job_runs(platform, run, "", *LIVE) == []
    assert live <= {task for task, state in states(platform, anew).items() if state not in ("success", "failed")}

    # Gold as if nothing had happened.
    expected = expected_gold.facts(platform.seeds)
    facts = {fact["order_id"]: fact for fact in platform.table("gold.fact_orders").to_pyarrow_table().to_pylist()}
    assert facts.keys() == expected.keys()
    for order_id, (who, ordered, currency, amount, usd, status, rated) in expected.items():
        fact = facts[order_id]
        assert (fact["customer_id"], fact["order_date"], fact["currency"]) == (who, ordered, currency), order_id
        assert (fact["amount_native"], fact["status"], fact["fx_as_of_date"]) == (amount, status, rated), order_id
        assert fact["amount_usd"] == usd, order_id
