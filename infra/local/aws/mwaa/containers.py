"""Airflow's processes of one environment: four, each in a session of its own."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from infra.local import health
from infra.local.addresses import Addresses
from infra.local.airflow import installed_version
from infra.local.aws.access import caller
from infra.local.aws.emr.logs import tail
from infra.local.aws.mwaa import startup
from infra.local.aws.mwaa.bucket import REQUIREMENTS, STARTUP
from infra.local.aws.mwaa.component import Component
from infra.local.aws.mwaa.errors import BrokenEnvironmentError
from infra.local.aws.mwaa.requirements import check
from infra.local.aws.mwaa.variables import PYTHON, of_airflow, of_container
from infra.local.parts import Check

HEALTHY_WITHIN = 240.0  # seconds
POLL_SECONDS = 0.5
LOG_LINES = 8
# As MWAA's: what runs beside each other in a container, whose start-up script is sourced once. The workers' container
# is missing, as tasks run under the scheduler. No process opens a server for logs: these listen on all interfaces.
_CONTAINERS: dict[str, list[tuple[str, ...]]] = {
    "webserver": [("api-server",)],
    "scheduler": [("scheduler", "--skip-serve-logs"), ("triggerer", "--skip-serve-logs"), ("dag-processor",)],
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
        name: of the environment.
        region: AWS region.
        home: folder of the environment: database, logs, pid files.
        files: folder with what came from the source bucket.
        port: of the API server.
        role: ARN of the execution role.
        options: Airflow configuration options, such as `{"core.lazy_load_plugins": "False"}`.
    """

    name: str
    region: str
    home: Path
    files: Path
    port: int
    role: str
    options: Mapping[str, Any]


class Containers(Protocol):
    """What runs of an environment; tests put something smaller in its place."""

    def prepare(self) -> None:
        """Does what can be done beside an earlier one. Raises BrokenEnvironmentError when it can't be started."""

    def start(self) -> None:
        """Starts all. Raises BrokenEnvironmentError when it does not get healthy; then nothing is left running."""

    def revive(self) -> None:
        """Starts again what has ended by itself."""

    def stop(self) -> None:
        """Ends all, also from another thread while it is being started."""


class Airflow:
    """Airflow of `.venv/airflow`, as the platform's own, but told only what MWAA would tell it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._addresses = Addresses(plan.home, plan.port)  # its state folder and its port, as a platform's
        self._lock = threading.Lock()
        self._stopped = False
        self._exports: dict[str, dict[str, str]] = {}
        self._components = {
            container: [
                Component(name, *arguments, home=plan.home, check=self._check(name)) for name, *arguments in named
            ]
            for container, named in _CONTAINERS.items()
        }

    def prepare(self) -> None:
        """As MWAA's containers begin: start-up script, requirements."""
        for container in _CONTAINERS:
            self._exports[container] = self._source(container)
        check(self._plan.files / REQUIREMENTS, PYTHON.parents[1])

    def start(self) -> None:
        """As they go on: database, processes."""
        try:
            self._migrate()
            for container, component in self._each():
                self._run(container, component)
            self._wait()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> None:
        for container, component in self._each():
            if component.has_ended and not self._stopped:
                logger.warning("%s of %s has ended: starting it again", component.name, self._plan.name)
                component.end()
                self._run(container, component)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        components = [component for _, component in self._each()]
        with ThreadPoolExecutor(len(components)) as pool:
            list(pool.map(Component.end, components))

    def environment(self, container: str) -> dict[str, str]:
        """The environment of the processes of `webserver` or `scheduler`."""
        plan = self._plan
        return of_airflow(
            self._container(container), self._addresses, plan.files, self._exports.get(container, {}), plan.options
        )

    def _container(self, container: str) -> dict[str, str]:
        plan = self._plan
        own = of_container(plan.name, plan.region, caller.credentials(plan.role), plan.home)
        return {**own, "MWAA_AIRFLOW_COMPONENT": container}

    def _source(self, container: str) -> dict[str, str]:
        script = self._plan.files / STARTUP
        if not script.exists():
            return {}
        return startup.exports(script, self.environment(container), self._log(f"startup-{container}"))

    def _migrate(self) -> None:
        """MWAA's migration knows neither start-up script nor options."""
        stamp = self._plan.home / "migrated"
        if stamp.exists() and stamp.read_text() == installed_version():
            return
        own = of_airflow(self._container("migrate-db"), self._addresses, self._plan.files, {}, {})
        log, work = self._log("migration"), self._plan.home / "airflow"
        work.mkdir(exist_ok=True)
        with log.open("wb") as output:
            command = [str(PYTHON), "-m", "airflow", "db", "migrate"]
            done = subprocess.run(command, cwd=work, env=own, stdout=output, stderr=output, timeout=300)
        if done.returncode:
            raise BrokenEnvironmentError(_report(log, f"`airflow db migrate` ended with {done.returncode}"))
        stamp.write_text(installed_version())

    def _run(self, container: str, component: Component) -> None:
        with self._lock:
            if self._stopped:
                raise BrokenEnvironmentError("It was stopped while it was being started")
            component.start(self.environment(container))

    def _wait(self) -> None:
        """Waits until each component is healthy."""
        give_up = time.monotonic() + HEALTHY_WITHIN
        for _, component in self._each():
            while reason := component.unhealthy():
                if component.has_ended or self._stopped or time.monotonic() > give_up:
                    what = "ended" if component.has_ended else f"is not healthy: {reason}"
                    raise BrokenEnvironmentError(_report(component.log, f"{component.name} {what}"))
                time.sleep(POLL_SECONDS)

    def _check(self, name: str) -> Check:
        if name == "api-server":
            return partial(health.airflow_api, self._addresses)
        return partial(health.airflow_component, self._addresses, name.replace("-", "_"))

    def _each(self) -> list[tuple[str, Component]]:
        return [(container, each) for container, components in self._components.items() for each in components]

    def _log(self, name: str) -> Path:
        folder = self._plan.home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"


def _report(log: Path, what: str) -> str:
    return f"{what}. Last lines of its log: " + " | ".join(tail(log, LOG_LINES))
