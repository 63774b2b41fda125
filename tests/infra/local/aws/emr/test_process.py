from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.aws.emr.process import PID_FILE, RUN_VARIABLE, JobProcess, remove_orphans
from infra.local.polling import wait_until
from tests.infra.local.aws.stand_in import gone

# A leader with a child in another process group, as PySpark's daemon makes one.
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
open(sys.argv[1], "w").write(str(child.pid))
{then}
"""
STAY, LEAVE = "time.sleep(600)", "sys.exit(3)"


@pytest.fixture
def started() -> Iterator[list[JobProcess]]:
    processes: list[JobProcess] = []
    yield processes
    for process in processes:
        process.stop(grace=0)


def start(folder: Path, then: str, started: list[JobProcess]) -> tuple[JobProcess, int]:
    """Starts a leader with a child. Returns the process and the child's pid."""
    pid_file = folder / "child"
    command = [sys.executable, "-c", FAMILY.format(then=then), str(pid_file)]
    process = JobProcess(command, os.environ, folder, folder / "logs", "00run")
    started.append(process)
    wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", seconds=30)
    return process, int(pid_file.read_text())


def test_stop_ends_children_in_groups_of_their_own(tmp_path: Path, started: list[JobProcess]) -> None:
    process, child = start(tmp_path, STAY, started)
    assert not gone(child)
    assert process.stop() == -15
    assert gone(child)
    assert gone(process.pid)


def test_what_outlives_its_leader_is_ended_and_the_exit_code_kept(tmp_path: Path, started: list[JobProcess]) -> None:
    process, child = start(tmp_path, LEAVE, started)
    assert process.wait(30) == 3
    assert not gone(child)
    assert process.stop() == 3
    assert gone(child)


def test_process_that_ignores_sigterm_is_killed(tmp_path: Path, started: list[JobProcess]) -> None:
    ready = tmp_path / "ready"
    program = (
        "import signal, time, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(ready)!r}, 'w').close(); time.sleep(600)"
    )
    process = JobProcess([sys.executable, "-c", program], os.environ, tmp_path, tmp_path / "logs", "00run")
    started.append(process)
    wait_until(ready.exists, seconds=30)
    assert process.stop(grace=0.5) == -9


def test_orphans_of_a_living_leader_are_removed(tmp_path: Path, started: list[JobProcess]) -> None:
    process, child = start(tmp_path, STAY, started)
    assert remove_orphans(tmp_path.parent) == ["00run"]
    assert gone(process.pid)
    assert gone(child)
    assert not (tmp_path / PID_FILE).exists()


def test_orphans_of_a_dead_leader_are_known_by_their_environment(tmp_path: Path, started: list[JobProcess]) -> None:
    process, child = start(tmp_path, LEAVE, started)
    process.wait(30)
    assert remove_orphans(tmp_path) == ["00run"]
    assert gone(child)


def test_stranger_with_the_recorded_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        record = {"pid": stranger.pid, "started": psutil.Process(stranger.pid).create_time() - 60, "run": "00run"}
        (tmp_path / PID_FILE).write_text(json.dumps(record))
        assert remove_orphans(tmp_path) == []
        assert stranger.poll() is None
        assert not (tmp_path / PID_FILE).exists()
    finally:
        stranger.kill()
        stranger.wait()


def test_job_runs_at_lower_priority_and_knows_its_run(tmp_path: Path, started: list[JobProcess]) -> None:
    program = f"import os; print(os.nice(0), os.environ['{RUN_VARIABLE}'], os.getcwd())"
    process = JobProcess([sys.executable, "-c", program], os.environ, tmp_path, tmp_path / "logs", "00run")
    started.append(process)
    assert process.wait(30) == 0
    niceness, run, folder = (tmp_path / "logs" / "stdout").read_text().split()
    assert int(niceness) >= 5
    assert run == "00run"
    assert Path(folder) == tmp_path
