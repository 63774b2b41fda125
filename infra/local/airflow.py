"""Airflow on a laptop: the settings and processes of an MWAA environment, without its cloud.

Four components on one loopback port; not `airflow standalone`, which opens log servers on all interfaces.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from infra.local import health, processes
from infra.local.addresses import HOST, REPOSITORY, Addresses
from infra.local.aws.access import caller
from infra.local.aws.emr.logs import tail
from infra.local.errors import PlatformError
from infra.local.parts import AIRFLOW, Part
from infra.local.sources.ecb.history import newest

DAYS = 3  # days that `run` processes, unless SLUICE_DAYS is set
SCHEDULED_DAG = "daily_lakehouse"
_COMMAND = str(REPOSITORY / ".venv" / "airflow" / "bin" / "airflow")


def schedule() -> tuple[date, date]:
    """First and last data interval of scheduled DAGs: the newest days for which ECB has rates.

    Raises:
        PlatformError: SLUICE_DAYS is no number of days.
    """
    given = os.environ.get("SLUICE_DAYS") or str(DAYS)
    if not given.isdecimal() or int(given) == 0:
        raise PlatformError(f"SLUICE_DAYS is {given!r}: give a number of days from 1 on, or leave it out for {DAYS}")
    days = int(given)
    return newest() - timedelta(days=days - 1), newest()


def settings(addresses: Addresses) -> dict[str, str]:
    """The settings of the platform's own Airflow, as environment variables."""
    first, last = schedule()
    return {
        # As on MWAA the DAG folder is the import root; .airflowignore limits DAGs to dags/.
        **on_a_laptop(addresses, dags=REPOSITORY, plugins=REPOSITORY / "plugins"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": addresses.project,
        "OPENLINEAGE__TRANSPORT__TYPE": "sluice_airflow.lineage.transport.LakeTransport",
        "SLUICE_WORKER_WAIT_SECONDS": "40",  # a step takes ten to twenty; on MWAA most take longer
        "SLUICE_AIRFLOW_ADDRESS": addresses.airflow,  # on MWAA it is asked through AWS
        "SLUICE_SCHEDULE_START": first.isoformat(),
        "SLUICE_SCHEDULE_END": last.isoformat(),
    }


def on_a_laptop(addresses: Addresses, *, dags: Path, plugins: Path) -> dict[str, str]:
    """What any Airflow on this machine needs: one in a folder, on the first of its ports, for whoever may reach it.

    Args:
        addresses: of that Airflow; only its state folder and its first port count.
        dags: the DAG folder.
        plugins: the folder of plugins.
    """
    home = addresses.home / "airflow"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{addresses.airflow}/execution/",
        "AIRFLOW__API__BASE_URL": addresses.airflow,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": addresses.airflow.rpartition(":")[2],
        "AIRFLOW__API__WORKERS": "1",
        # The four processes share these, after a restart too. They need not be secret: everybody here is an admin.
        "AIRFLOW__API__SECRET_KEY": _key(addresses, "session"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _key(addresses, "token"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(addresses.home / "logs" / "airflow"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        # Seconds. A DAG whose file has changed shows within ten; what else it is made of is read again every five
        # minutes. Half a second between looks for work saves a second at each of a task's two moments on a worker.
        # Less would only burn a core that Spark needs.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        # Two cores under Spark answer slowly, and a scheduler may be ready before the API server is. By default
        # Airflow gives a task up when nothing confirms its start within 5 x 5 s.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "10",
        # A process that has handed over to the triggerer ends within 1 to 4 s instead of up to 6. A failed try waits
        # 10 s and 20 s instead of minutes.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def parts(addresses: Addresses, release: str) -> tuple[Part, ...]:
    """Airflow's four processes.

    The URI of the code release is part of their environment, as on MWAA. A new release makes the process manager
    restart them, so that none works with modules of an earlier one.
    """
    environment = {
        **settings(addresses),
        **caller.credentials(f"{addresses.project}-{caller.AIRFLOW}"),
        "SLUICE_RELEASE": release,
    }

    def part(name: str, *arguments: str, address: str = "", component: str = "") -> Part:
        return Part(
            name=f"airflow-{name}",
            command=(_COMMAND, name, *arguments),
            check=partial(health.airflow_component, addresses, component)
            if component
            else partial(health.airflow_api, addresses),
            address=address,
            environment=environment,
            stage=AIRFLOW,
            healthy_within=120.0,
            stop_within=20,
        )

    return (
        part("api-server", address=addresses.airflow),
        part("scheduler", "--skip-serve-logs", component="scheduler"),
        part("triggerer", "--skip-serve-logs", component="triggerer"),
        part("dag-processor", component="dag_processor"),
    )


class Migration:
    """`airflow db migrate`, while other work goes on: it takes six seconds of one core."""

    def __init__(self, addresses: Addresses, environment: Mapping[str, str]) -> None:
        """Starts it, unless this Airflow has already made the database."""
        self._folder = addresses.home / "airflow"
        self._stamp = self._folder / "migrated"
        self._log = addresses.home / "logs" / "airflow-migration.log"
        self._process: subprocess.Popen[bytes] | None = None
        if self._stamp.exists() and self._stamp.read_text() == installed_version():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [_COMMAND, "db", "migrate"],
                cwd=REPOSITORY,
                env={**environment, **settings(addresses), **processes.marks(addresses.home, "airflow-migration")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Waits until the database is there.

        Raises:
            PlatformError: the migration failed. The message has its last log lines.
        """
        if self._process is None:
            return
        if code := self._process.wait(300):
            lines = "\n".join(tail(self._log, 15))
            raise PlatformError(f"`airflow db migrate` ended with {code}:\n{lines}")
        self._stamp.write_text(installed_version())


def installed_version() -> str:
    """The version of the installed Airflow, as the name of its metadata folder."""
    found = Path(_COMMAND).parents[1].glob("lib/python*/site-packages/apache_airflow_core-*.dist-info")
    return ",".join(sorted(folder.name for folder in found))


def _key(addresses: Addresses, purpose: str) -> str:
    return hashlib.sha256(f"{addresses.home}/{purpose}".encode()).hexdigest()
