"""The processes of one job: a session of its own that is stopped as a whole, and found again by the next server.

A job is more than one process group: PySpark's daemon moves its Python workers to a group of their own. All stay in
the session of the launcher, so the session is stopped.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil

from infra.local.polling import wait_until

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10.0  # from SIGTERM to SIGKILL: a stream commits its batch, a writer gives its lease back
NICENESS = "5"  # two cores are soon full, and Airflow's heartbeats and the UI must not wait
RUN_VARIABLE = "SLUICE_EMR_JOB_RUN"  # in the environment of each process of a job: which job run it belongs to
PID_FILE = "pid.json"


class JobProcess:
    """A started command and everything that it started.

    Attributes:
        pid: the leader's process id, which is also the id of its session and process group.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, logs: Path, run_id: str
    ) -> None:
        """Starts the command.

        Args:
            arguments: command line.
            environment: its whole environment.
            folder: working folder. It holds the pid file while the job runs.
            logs: folder for the files `stdout` and `stderr`.
            run_id: job run id, which goes into the environment of the job's processes.
        """
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "stdout").open("wb") as stdout, (logs / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                ["nice", "-n", NICENESS, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**environment, RUN_VARIABLE: run_id},
                cwd=folder,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._pid_file = PidFile(folder, self.pid, run_id)

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None if the leader still runs after `seconds`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace: float = GRACE_SECONDS) -> int:
        """Ends the whole session, even after its leader's end. Returns the leader's exit code."""
        end_session(self.pid, grace)
        code = self._process.wait()
        self._pid_file.remove()
        return code


class PidFile:
    """Names a job's processes to the next server, as long as the job runs."""

    def __init__(self, folder: Path, pid: int, run_id: str) -> None:
        self._file = folder / PID_FILE
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps({"pid": pid, "started": _start_time(pid), "run": run_id}))
        written.replace(self._file)  # never half a file: the next server must be able to read it

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


def remove_orphans(root: Path, variable: str = RUN_VARIABLE) -> list[str]:
    """Ends the jobs that a killed server has left below a folder. Returns their run ids.

    Args:
        root: the folder.
        variable: in the environment of each process: which job run it belongs to.
    """
    removed = []
    for pid_file in sorted(root.glob(f"**/{PID_FILE}")):
        record = json.loads(pid_file.read_text())
        find = partial(_orphans, variable=variable, **record)
        if find():
            logger.warning("an earlier server left %s: ending it", record["run"])
            _end(find, GRACE_SECONDS)
            removed.append(record["run"])
        pid_file.unlink()
    return removed


def _orphans(pid: int, started: float | None, run: str, variable: str) -> list[psutil.Process]:
    """The job's processes. None, if the system has given their number to others.

    A living leader is recognised by its start time. Without a leader, each process must name the run.
    """
    members = session(pid)
    if any(member.pid == pid for member in members) and _start_time(pid) == started:
        return members
    return [member for member in members if _names_run(member, run, variable)]


def _names_run(process: psutil.Process, run: str, variable: str) -> bool:
    try:
        return bool(process.environ().get(variable) == run)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False  # it has ended by now, or belongs to another user


def _start_time(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def session(pid: int) -> list[psutil.Process]:
    """The living processes of a session."""
    return [process for process in psutil.process_iter() if _lives_in(process, pid)]


def _lives_in(process: psutil.Process, session: int) -> bool:
    try:
        return os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
        return False  # it has ended by now, or belongs to another user


def end_session(pid: int, grace: float = GRACE_SECONDS) -> None:
    """Ends all processes of a session: SIGTERM, a time of grace in seconds, SIGKILL."""
    _end(lambda: session(pid), grace)


def _end(find: Callable[[], list[psutil.Process]], grace: float) -> None:
    """SIGTERM, a time of grace, SIGKILL.

    The processes are looked up again each time, as there may be new ones. A psutil wait would take the leader's exit
    code away from its Popen.
    """
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, GRACE_SECONDS)):
        with contextlib.suppress(TimeoutError):
            wait_until(partial(_none_left, find, number, set()), seconds=seconds)
            return
    logger.error("processes %s survive SIGKILL", [process.pid for process in find()])


def _none_left(find: Callable[[], list[psutil.Process]], number: int, signalled: set[int]) -> bool:
    """Whether no process is left. Sends the signal to those that have not had it yet."""
    left = find()
    for process in left:
        if process.pid not in signalled:
            signalled.add(process.pid)
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
    return not left
