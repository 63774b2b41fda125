"""One whole platform, on ports and in a folder of its own, after `run`: a day in a real Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from deltalake import DeltaTable

from infra.local import clients
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.airflow_api import AirflowApi
from infra.local.seeds import Seeds, generate
from infra.local.sources.ecb.history import newest

PORT = 18600
SEED_SIZE = 300
DAYS = 1  # it reads all there is; tests start the runs that read what is new
DAG = "daily_lakehouse"


@dataclass(frozen=True)
class Platform:
    """A running platform and what its first `run` printed."""

    addresses: Addresses
    environment: dict[str, str]
    output: str = ""
    tree: Path = REPOSITORY  # the checkout whose code it runs

    @property
    def airflow(self) -> AirflowApi:
        return AirflowApi(self.addresses.airflow)

    @property
    def seeds(self) -> Seeds:
        return generate(SEED_SIZE, newest())

    def client(self, service: str) -> Any:
        return clients.client(self.addresses, service)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs one of the platform's commands to its end."""
        return subprocess.run(
            [sys.executable, "-m", "infra.local", *words],
            cwd=self.tree, env=self.environment, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def table(self, name: str) -> DeltaTable:
        """A table of the lake, read without Spark."""
        exports = self.addresses.environment()
        options = {
            "AWS_ENDPOINT_URL": self.addresses.s3,
            "AWS_ALLOW_HTTP": "true",
            **{key: exports[key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")},
        }
        return DeltaTable(f"s3://{self.addresses.lake_bucket}/{name.replace('.', '/')}", storage_options=options)

    def trigger(
        self, dag: str = DAG, *, run_id: str | None = None, logical_date: datetime | None = None, **conf: Any
    ) -> str:
        """Starts a manual run, whose id and logical date a person may choose; returns its id."""
        self.airflow.pause(dag, False)
        url = f"{self.addresses.airflow}/api/v2/dags/{dag}/dagRuns"
        named = {"dag_run_id": run_id} if run_id else {}
        dated = logical_date.isoformat() if logical_date else None
        answer = requests.post(url, json={"logical_date": dated, "conf": conf, **named}, timeout=60)
        assert answer.ok, answer.text
        return str(answer.json()["dag_run_id"])

    def backfill(self, first: date, last: date, **options: Any) -> list[str]:
        """Asks for a backfill of these days, one after another; returns the ids of its runs, oldest day first.

        Args:
            first: first day.
            last: last day, included.
            options: of the REST API, such as `reprocess_behavior="completed"`, `run_backwards=True` or
                `dag_run_conf={"tables": [...]}`.
        """
        days = {"from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
        asked = {"dag_id": DAG, **days, "max_active_runs": 1, **options}
        url = f"{self.addresses.airflow}/api/v2/backfills"
        for _ in range(5):
            answer = requests.post(url, json=asked, timeout=60)
            if answer.status_code != requests.codes.server_error:
                break
            # SQLite was locked by a live run's writes. A backfill with some of its runs is left, and blocks the next.
            for found in requests.get(url, params={"dag_id": DAG}, timeout=60).json()["backfills"]:
                if found["completed_at"] is None:
                    requests.put(f"{url}/{found['id']}/cancel", timeout=60)
        assert answer.ok, answer.text
        return [
            run["dag_run_id"]
            for run in self.airflow.runs(DAG, since=first)
            if run["run_type"] == "backfill"
            and run["logical_date"][:10] <= last.isoformat()
            and run["state"] in ("queued", "running")
        ]

    def arguments(self, run_id: str) -> dict[str, list[str]]:
        """The command line of a run's newest job run of each step, such as `--window-start ... --exact`."""
        emr, application = self.client("emr-serverless"), self.addresses.emr_application_id
        pages = emr.get_paginator("list_job_runs").paginate(applicationId=application)
        found = [run for page in pages for run in page["jobRuns"] if f" {run_id} " in run["name"]]
        words = [
            emr.get_job_run(applicationId=application, jobRunId=run["id"])["jobRun"]["jobDriver"]["sparkSubmit"]
            for run in sorted(found, key=lambda run: run["createdAt"])
        ]
        return {step: rest for step, *rest in (submit["entryPointArguments"] for submit in words)}

    def wait(self, run_id: str, seconds: float = 420, dag: str = DAG) -> dict[str, str]:
        """Waits for the end of a run of any type; returns the state of each task."""
        url = f"{self.addresses.airflow}/api/v2/dags/{dag}/dagRuns/{run_id}"
        give_up = time.monotonic() + seconds
        while requests.get(url, timeout=60).json()["state"] not in ("success", "failed"):
            assert time.monotonic() < give_up, f"{run_id} is not done after {seconds} s"
            time.sleep(1)
        return {task.task: task.state for task in self.airflow.tasks(dag, run_id)}


@contextmanager
def started(home: Path, port: int, tree: Path = REPOSITORY, first: str = "run") -> Iterator[Platform]:
    """A platform after its first `run`; afterwards nothing of it is left.

    Args:
        home: its state folder.
        port: its first port.
        tree: the checkout whose code it runs.
        first: the command that starts it: `run`, or `up`, after which no DAG has run.
    """
    environment = {
        **os.environ,
        "SLUICE_HOME": str(home),
        "SLUICE_PORT": str(port),
        "SLUICE_SEED_SIZE": str(SEED_SIZE),
        "SLUICE_DAYS": str(DAYS),
    }
    platform = Platform(Addresses(home=home, port=port), environment, tree=tree)
    try:
        ran = platform.command(first)
        print(ran.stdout)
        assert ran.returncode == 0, f"`{first}` failed:\n{ran.stdout[-6000:]}\n{ran.stderr[-3000:]}"
        yield replace(platform, output=ran.stdout)
    finally:
        down = platform.command("down")
    assert down.returncode == 0, down.stderr
    left = [process.cmdline() for process in psutil.process_iter() if str(home) in " ".join(_words(process))]
    assert not left, f"`down` left processes: {left}"


def checkout(copied: Path) -> Path:
    """A copy of the checkout, in which a test may change a file; answers the folder."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listing, cwd=REPOSITORY, text=True).splitlines():
        if (REPOSITORY / name).is_file():
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            (copied / name).write_bytes((REPOSITORY / name).read_bytes())
    (copied / ".venv").symlink_to(REPOSITORY / ".venv")
    return copied


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("platform"), PORT) as running:
        yield running


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
