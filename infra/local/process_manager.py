"""Runs parts under supervisord.

supervisord owns the processes. It starts each in a process group of its own, keeps and rotates its log, restarts it
when it dies, and stops the whole group at once.
"""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from infra.local import supervisord_conf
from infra.local.errors import PlatformError
from infra.local.parts import Part
from infra.local.polling import wait_until
from infra.local.processes import marks, members
from infra.local.supervisord_conf import MANAGER

LONGEST_SOCKET_PATH = 90  # the limits are 104 (macOS) and 108 (Linux), and supervisord first binds a longer name
STOPPED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
LONGEST_CHANGE = 20.0  # seconds that the manager itself may take to start or to end


@dataclass(frozen=True)
class State:
    """A part's process as supervisord sees it.

    Attributes:
        name: STARTING, RUNNING, BACKOFF, STOPPING, STOPPED, EXITED, FATAL.
        pid: 0 when there is no process.
        started: epoch seconds.
        stage: the part's stage.
    """

    part: str
    name: str
    pid: int
    started: float
    stage: int
    description: str


class ProcessManager:
    """The supervisord of one platform."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        """Starts nothing. All parts inherit the environment."""
        self.home = home
        self._environment = environment
        self._socket = _socket(home)

    def log(self, part: str) -> Path:
        """Where a part's output goes."""
        return supervisord_conf.log(self.home, part)

    def running(self) -> bool:
        """Whether the manager answers."""
        try:
            self._rpc.getState()
        except OSError:
            return False
        except Fault:
            pass  # it is shutting down, but there
        return True

    def start(self) -> None:
        """Starts the manager as a daemon, without any part.

        Raises:
            PlatformError: it doesn't start. The message is its own.
        """
        for folder in (self.home / "logs", self.home / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        _private(self._socket.parent, self.home)
        self._write([])
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(self._configuration)]
        environment = {**self._environment, **marks(self.home, MANAGER)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise PlatformError(f"supervisord: {(done.stderr or done.stdout).strip()}")
        unanswered = PlatformError(f"supervisord does not answer: read {self.log(MANAGER)}")
        wait_until(self.running, seconds=LONGEST_CHANGE, late=lambda: unanswered)

    def apply(self, parts: Sequence[Part]) -> set[str]:
        """Makes these the parts that run, and restarts those that have changed. Returns the names of those started."""
        self._write(parts)
        ((added, changed, removed),) = self._rpc.reloadConfig()
        self._stop([*changed, *removed])
        for name in [*changed, *removed]:
            self._rpc.removeProcessGroup(name)
        for name in [*added, *changed]:
            log = self.log(name)
            if log.exists():
                log.replace(log.with_suffix(".previous.log"))
            self._rpc.addProcessGroup(name)
        return {*added, *changed}

    def states(self) -> list[State]:
        """The parts' processes."""
        stages = {config["name"]: config["process_prio"] for config in self._rpc.getAllConfigInfo()}
        return [
            State(
                part=info["name"],
                name=info["statename"],
                pid=info["pid"],
                started=float(info["start"]),
                stage=stages.get(info["name"], 0),  # 0: no longer configured
                description=info["description"] or info["spawnerr"],
            )
            for info in self._rpc.getAllProcessInfo()
        ]

    def stop(self) -> None:
        """Stops all parts, the highest stage first, then the manager. Waits until they are gone."""
        by_stage = sorted(self.states(), key=lambda state: -state.stage)
        for _, states in groupby(by_stage, key=lambda state: state.stage):
            self._stop([state.part for state in states])
        self._rpc.shutdown()
        with suppress(TimeoutError):  # whoever stops a platform ends what is left of it
            wait_until(self._is_gone, seconds=LONGEST_CHANGE)

    def _is_gone(self) -> bool:
        return all(member.part != MANAGER for member in members(self.home))

    def _stop(self, names: Iterable[str]) -> None:
        """Stops parts at the same time."""
        waiting = set(names)
        for name in waiting:
            try:
                self._rpc.stopProcess(name, False)
            except Fault as fault:
                if "NOT_RUNNING" not in fault.faultString:
                    raise
        # This ends, as supervisord kills what does not stop in time.
        wait_until(lambda: all(s.part not in waiting or s.name in STOPPED for s in self.states()), seconds=math.inf)

    @property
    def _rpc(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor

    @property
    def _configuration(self) -> Path:
        return self.home / "supervisord.conf"

    def _write(self, parts: Sequence[Part]) -> None:
        self._configuration.write_text(supervisord_conf.text(self.home, self._socket, parts))


def _socket(home: Path) -> Path:
    """The manager's socket, in the state folder. If that path is too long, in a folder with a short one."""
    path = home / "supervisord.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sluice-{os.getuid()}-{digest}" / "supervisord.sock"


def _private(folder: Path, home: Path) -> None:
    """Makes the socket's folder. Outside the state folder, nobody else may have access."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder != home and (folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077):
        raise PlatformError(f"{folder} belongs to another user, or others can read it: remove it")
