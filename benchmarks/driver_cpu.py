"""CPU seconds of the drivers of a local EMR Serverless, looked at from outside."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import psutil

from infra.local.aws.emr.process import PID_FILE

LOOK_SECONDS = 0.25
WARM_WORKER = "infra.local.aws.emr.warm.worker"


class DriverCpu:
    """Looks at all drivers again and again.

    Attributes:
        seconds: job run id -> CPU seconds so far of its JVM and Python. What came in the last quarter of a second
            before its end is not seen.
    """

    def __init__(self, root: Path) -> None:
        """Takes the folder in which the local EMR Serverless keeps its job runs."""
        self._root = root
        self._before: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def follow(self, ended: threading.Event) -> None:
        """Looks until the end."""
        while not ended.wait(LOOK_SECONDS):
            for file in self._root.glob(f"*/*/{PID_FILE}"):
                self._look(file)

    def _look(self, file: Path) -> None:
        try:
            leader = psutil.Process(json.loads(file.read_text())["pid"])
            # A warm driver is a fork of a worker, beside the worker's JVM. Both served other jobs before.
            worker = leader.parent()
            warm = worker is not None and WARM_WORKER in worker.cmdline()
            used = _used(worker if warm and worker else leader)
        except (psutil.Error, OSError, ValueError):
            return  # the job has ended, or its file is being written
        run = file.parent.name
        self.seconds[run] = used - self._before.setdefault(run, used if warm else 0.0)


def _used(leader: psutil.Process) -> float:
    """CPU seconds of a process and its descendants, and of those that have ended."""
    total = 0.0
    for process in (leader, *leader.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total
