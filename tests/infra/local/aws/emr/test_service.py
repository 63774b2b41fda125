"""Life cycles of job runs, through the real client, with jobs that really run."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.polling import wait_until
from tests.infra.local.aws.stand_in import BUCKET, Jobs, gone

SLEEP = "import time; print('awake', flush=True); time.sleep(600)"
# It stays for a moment: a cold driver's JVM ends with its Python, whatever it has not copied of its output yet.
FAIL = """
import sys, time
print("progress")
print('SLUICE-ERROR {"kind": "data"}', file=sys.stderr, flush=True)
time.sleep(1)
sys.exit(65)
"""
SPARK = """
import os, sys
import helper
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
target = sys.argv[1]
spark.range(10).write.format("delta").save(target)
print("rows", spark.read.format("delta").load(target).count(), helper.NAME, os.environ["LAYER"], os.getcwd())
"""


def test_spark_job_succeeds_on_delta_in_s3_and_its_log_is_in_s3(jobs: Jobs) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("helper.py", "NAME = 'packed'")
    run = jobs.start(
        SPARK,
        f"s3://{BUCKET}/table",
        name="silver.orders",
        parameters=f"--py-files {jobs.upload('jobs.zip', packed.getvalue())}"
        " --conf spark.emr-serverless.driverEnv.LAYER=gold --conf spark.executor.instances=4",
        tags={"team": "data"},
    )
    ended = jobs.wait(run)
    assert ended["state"] == "SUCCESS", ended["stateDetails"] + jobs.log(run)
    assert "rows 10 packed gold" in jobs.log(run)
    assert jobs.log(run).strip().endswith(f"/emr/{jobs.application}/{run}")
    assert ended["name"] == "silver.orders"
    assert ended["mode"] == "BATCH"
    assert ended["attempt"] == 1
    assert ended["startedAt"] < ended["endedAt"]
    assert "SparkContext" in jobs.log(run, "stderr")


def test_failed_job_shows_its_exit_code_and_last_lines(jobs: Jobs) -> None:
    run = jobs.start(FAIL)
    ended = jobs.wait(run)
    assert ended["state"] == "FAILED"
    assert ended["stateDetails"].startswith(
        "Job failed, please check complete logs in configured logging destination. ExitCode: 65. Last few exceptions: "
    )
    assert ended["stateDetails"].endswith('SLUICE-ERROR {"kind": "data"}')
    assert "progress" in jobs.log(run)


def test_missing_entry_point_fails_the_run(jobs: Jobs) -> None:
    run = jobs.start(FAIL, jobDriver={"sparkSubmit": {"entryPoint": f"s3://{BUCKET}/no/such.py"}})
    ended = jobs.wait(run)
    assert ended["state"] == "FAILED"
    assert "before its driver started" in ended["stateDetails"]


def test_running_job_s_log_is_in_s3_and_cancel_ends_it_with_its_grandchildren(jobs: Jobs, tmp_path: Path) -> None:
    program = f"""
import subprocess, time
child = subprocess.Popen(["sleep", "600"], process_group=0)
print("child started", flush=True)
open("{tmp_path / "pid"}", "w").write(str(child.pid))
time.sleep(600)
"""
    run = jobs.start(program)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", seconds=60)
    wait_until(lambda: "child started" in jobs.shipped(run), seconds=30)
    assert jobs.get(run)["state"] == "RUNNING"
    jobs.cancel(run)
    assert jobs.wait(run)["state"] == "CANCELLED"
    assert gone(int((tmp_path / "pid").read_text()))
    jobs.cancel(run)
    assert jobs.get(run)["state"] == "CANCELLED"


def test_reused_client_token_returns_the_first_run(jobs: Jobs) -> None:
    first = jobs.start(SLEEP, clientToken="token")
    assert jobs.start(SLEEP, clientToken="token") == first
    with pytest.raises(ClientError, match="ConflictException"):
        jobs.start(SLEEP, "other", clientToken="token")
    jobs.cancel(first)
    jobs.wait(first)
    assert jobs.start(SLEEP, clientToken="token") == first


def test_runs_above_the_limit_are_queued_and_start_when_there_is_room(jobs: Jobs) -> None:
    running = [jobs.start(SLEEP), jobs.start(SLEEP)]
    waiting, cancelled = jobs.start(SLEEP), jobs.start(SLEEP)
    assert jobs.get(waiting)["state"] == "QUEUED"
    jobs.cancel(cancelled)
    assert jobs.get(cancelled)["state"] == "CANCELLED"
    listed = jobs.emr.list_job_runs(applicationId=jobs.application, states=["QUEUED"])["jobRuns"]
    assert [run["id"] for run in listed] == [waiting]
    jobs.cancel(running[0])
    assert jobs.wait(waiting, "RUNNING")["state"] == "RUNNING"
    stream = jobs.start(SLEEP, mode="STREAMING")
    assert jobs.wait(stream, "RUNNING")["state"] == "RUNNING", "a stream takes no place of a batch job"
    for run in (running[1], waiting, stream):
        jobs.cancel(run)
        jobs.wait(run)


def test_run_that_takes_too_long_is_cancelled(jobs: Jobs) -> None:
    ended = jobs.wait(jobs.start(SLEEP, executionTimeoutMinutes=5))
    assert ended["state"] == "CANCELLED"
    assert ended["stateDetails"] == "Job run timed out after 5 minutes"
    assert ended["executionTimeoutMinutes"] == 5


def test_batch_job_is_tried_again_and_each_attempt_keeps_its_log(jobs: Jobs, tmp_path: Path) -> None:
    program = f"""
import os, sys
first = not os.path.exists("{tmp_path / "tried"}")
open("{tmp_path / "tried"}", "w").close()
print("first" if first else "second")
sys.exit(75 if first else 0)
"""
    run = jobs.start(program, retryPolicy={"maxAttempts": 3})
    ended = jobs.wait(run, "SUCCESS")
    wait_until(lambda: jobs.get(run)["state"] == "SUCCESS", seconds=60)
    ended = jobs.get(run)
    assert ended["attempt"] == 2
    assert ended["retryPolicy"] == {"maxAttempts": 3}
    first = jobs.get(run, attempt=1)
    assert first["state"] == "FAILED"
    assert "ExitCode: 75" in first["stateDetails"]
    attempts = jobs.emr.list_job_run_attempts(applicationId=jobs.application, jobRunId=run)["jobRunAttempts"]
    assert [(attempt["attempt"], attempt["state"]) for attempt in attempts] == [(1, "FAILED"), (2, "SUCCESS")]
    assert jobs.log(run, attempt="attempts/1/") == "first\n"
    assert jobs.log(run, attempt="attempts/2/") == "second\n"


def test_stream_stops_being_retried_after_its_failures_per_hour(jobs: Jobs) -> None:
    run = jobs.start(FAIL, mode="STREAMING", retryPolicy={"maxFailedAttemptsPerHour": 2})
    wait_until(lambda: len(attempts(jobs, run)) == 2 and jobs.get(run)["state"] == "FAILED", seconds=60)
    ended = jobs.get(run)
    assert ended["mode"] == "STREAMING"
    assert ended["executionTimeoutMinutes"] == 0
    streams = jobs.emr.list_job_runs(applicationId=jobs.application, mode="STREAMING")["jobRuns"]
    assert run in [stream["id"] for stream in streams]
    assert {stream["mode"] for stream in streams} == {"STREAMING"}


def attempts(jobs: Jobs, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = jobs.emr.list_job_run_attempts(applicationId=jobs.application, jobRunId=run)[
        "jobRunAttempts"
    ]
    return found
