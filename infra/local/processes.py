"""Finds the processes of a platform, and ends them.

Each process of a platform has the state folder and the name of its part in its environment, which its children
inherit. So a daemon is found too, a job in a session of its own, and what outlived a killed process manager.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local.aws.emr.process import RUN_VARIABLE
from infra.local.errors import PlatformError
from infra.local.polling import wait_until

PART_VARIABLE = "SLUICE_PART"


@dataclass(frozen=True)
class Member:
    """A living process of a platform.

    Attributes:
        part: the part that it belongs to.
        job: the EMR job run that it works for, or empty.
    """

    process: psutil.Process
    part: str
    job: str

    def __str__(self) -> str:
        return f"{self.part} (pid {self.process.pid})"

    @property
    def resident(self) -> int:
        """Bytes of memory; 0 if the process has ended by now."""
        try:
            return int(self.process.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0


def marks(home: Path, part: str) -> dict[str, str]:
    """The variables that mark the processes of a part.

    Airflow writes titles over the memory in which Linux keeps a process's environment, unless SPT_NOENV is set.
    """
    return {"SLUICE_HOME": str(home), PART_VARIABLE: part, "SPT_NOENV": "1"}


def members(home: Path) -> list[Member]:
    """All living processes of the platform."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            environment = process.environ()
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # it has ended by now, or belongs to another user
        if environment.get("SLUICE_HOME") == str(home) and (part := environment.get(PART_VARIABLE)):
            found.append(Member(process, part, environment.get(RUN_VARIABLE, "")))
    return found


def end(home: Path, *, grace: float = 10.0) -> list[Member]:
    """Ends every process of the platform: SIGTERM, a time of grace, SIGKILL.

    Returns:
        The processes that were alive.

    Raises:
        PlatformError: a process survives SIGKILL.
    """
    found = members(home)
    for signal in (psutil.Process.terminate, psutil.Process.kill):
        for member in members(home):
            with contextlib.suppress(psutil.NoSuchProcess):
                signal(member.process)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not members(home), seconds=grace)
            return found
    raise PlatformError(f"these survive SIGKILL: {', '.join(map(str, members(home)))}")
