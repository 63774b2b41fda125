"""One of Airflow's processes, in a session of its own that is stopped as a whole."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from infra.local.aws.emr.process import PidFile, end_session
from infra.local.aws.mwaa.variables import PROCESS_VARIABLE, PYTHON
from infra.local.parts import Check

GRACE_SECONDS = 10.0


class Component:
    """A process that is started, found healthy, and ended.

    Attributes:
        name: of Airflow's command.
        log: file of its output.
    """

    def __init__(self, name: str, *arguments: str, home: Path, check: Check) -> None:
        """Describes it.

        Args:
            name: of Airflow's command.
            arguments: of that command.
            home: folder of its environment.
            check: raises as long as it does not serve; its argument is when it was started.
        """
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self._arguments = arguments
        self._home = home
        self._check = check
        self._process: subprocess.Popen[bytes] | None = None
        self._pid_file: PidFile | None = None
        self._started = 0.0

    def start(self, variables: Mapping[str, str]) -> None:
        """Starts it with this environment, and none besides."""
        folder, work = self._home / "processes" / self.name, self._home / "airflow"
        for needed in (folder, work, self.log.parent):
            needed.mkdir(parents=True, exist_ok=True)
        mark = f"{self._home.name}/{self.name}"
        self._started = time.time()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(PYTHON), "-m", "airflow", self.name, *self._arguments],
                cwd=work,
                env={**variables, PROCESS_VARIABLE: mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._pid_file = PidFile(folder, self._process.pid, mark)

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def unhealthy(self) -> str:
        """What is wrong with it; empty when it serves."""
        try:
            self._check(self._started)
        except Exception as error:  # whatever its client raises
            return f"{type(error).__name__}: {error}"
        return ""

    def end(self) -> None:
        """Ends it and all that it has started."""
        if self._process is None:
            return
        end_session(self._process.pid, GRACE_SECONDS)
        self._process.wait()
        if self._pid_file:
            self._pid_file.remove()
