"""What happens to job processes when the server is stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.local.addresses import REGION, REPOSITORY
from infra.local.polling import wait_until
from tests.infra.local.aws.stand_in import BUCKET, Jobs, Server, gone, start_server

PORT = 18210


def start_with_running_job(home: Path) -> tuple[Server, Jobs, str, list[int]]:
    server = start_server(home, PORT)
    server.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    jobs = Jobs(server)
    pid_file = home / "child"
    pid_file.unlink(missing_ok=True)
    run = jobs.start(
        f"""
import subprocess, time
child = subprocess.Popen(["sleep", "600"], process_group=0)
open("{pid_file}", "w").write(str(child.pid))
time.sleep(600)
"""
    )
    wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", seconds=60)
    child = psutil.Process(int(pid_file.read_text()))
    return server, jobs, run, [child.pid, *(parent.pid for parent in child.parents()[:2])]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_server_leaves_no_job_process(tmp_path: Path, number: int) -> None:
    server, _, _, family = start_with_running_job(tmp_path)
    server.end(number)
    assert server.process.returncode == 0
    assert all(map(gone, family))
    assert not list((tmp_path / "emr").glob("**/pid.json"))


def test_second_server_on_the_port_ends_and_leaves_the_first_one_s_jobs_alone(tmp_path: Path) -> None:
    server, jobs, run, family = start_with_running_job(tmp_path)
    environment = {**os.environ, "SLUICE_HOME": str(tmp_path), "SLUICE_PORT": str(PORT)}
    command = [sys.executable, "-m", "infra.local.aws.server"]
    second = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60)
    assert second.returncode != 0
    assert f"Port {PORT + 1} is in use" in second.stderr
    assert jobs.get(run)["state"] == "RUNNING"
    assert not any(map(gone, family))
    server.end()


def test_killed_server_s_jobs_are_ended_by_the_next_which_gives_new_run_ids(tmp_path: Path) -> None:
    server, jobs, run, family = start_with_running_job(tmp_path)
    server.end(signal.SIGKILL)
    assert not any(map(gone, family))
    server, again, next_run, next_family = start_with_running_job(tmp_path)
    assert all(map(gone, family))
    assert again.application == jobs.application
    assert next_run != run
    server.end()
    assert all(map(gone, next_family))
