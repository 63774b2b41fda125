"""What a day costs, by step: `python -m benchmarks.day`. Three days with warm drivers, then three with cold ones.

Each half is a platform of its own, on which `run` does three days of `daily_lakehouse` through Airflow. Wall seconds
are Airflow's and EMR's own. CPU seconds are those of the driver's JVM and Python, looked at four times a second.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.driver_cpu import DriverCpu
from benchmarks.stream_platform import say
from infra.local import airflow, gold_report
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.airflow_api import AirflowApi

PORT = 18500
DRIVERS = {"warm": "1", "cold": "0"}  # LOCAL_EMR_WARM
DAG = airflow.SCHEDULED_DAG


@dataclass(frozen=True)
class Spent:
    """Seconds of one step on one day.

    Attributes:
        task: of the task in Airflow.
        queued: that its job run waited for a slot.
        ran: of the driver.
        cpu: CPU seconds of the driver.
    """

    task: float
    queued: float
    ran: float
    cpu: float

    @property
    def airflow(self) -> float:
        """What is neither the queue nor the driver: Airflow, and the request to EMR."""
        return max(self.task - self.queued - self.ran, 0.0)


@dataclass(frozen=True)
class Days:
    """What one half of the benchmark saw.

    Attributes:
        whole: seconds of each day's run, oldest first.
        steps: step -> what it spent on each day.
        command: seconds of `run`, with the platform's start.
    """

    whole: list[float]
    steps: dict[str, list[Spent]] = field(default_factory=dict)
    command: float = 0.0


@contextmanager
def ran(drivers: str, folder: Path) -> Iterator[tuple[Addresses, DriverCpu]]:
    """A platform that has run its days; afterwards nothing of it is left."""
    addresses = Addresses(home=folder, port=PORT)
    chosen = {"SLUICE_HOME": str(folder), "SLUICE_PORT": str(PORT), "LOCAL_EMR_WARM": DRIVERS[drivers]}
    command = [sys.executable, "-m", "infra.local"]
    cpu, ended = DriverCpu(folder / "emr"), threading.Event()
    sampler = threading.Thread(target=cpu.follow, args=(ended,), daemon=True)
    sampler.start()
    try:
        subprocess.run([*command, "run"], cwd=REPOSITORY, env={**os.environ, **chosen}, check=True, stdout=sys.stderr)
        yield addresses, cpu
    finally:
        ended.set()
        sampler.join()
        subprocess.run([*command, "down"], cwd=REPOSITORY, env={**os.environ, **chosen}, check=True, stdout=sys.stderr)


def measure(drivers: str) -> Days:
    """Runs the days with warm or with cold drivers."""
    with (
        tempfile.TemporaryDirectory(prefix="sluice-day-") as folder,
        ran(drivers, Path(folder).resolve()) as (addresses, cpu),
    ):
        return _spent(addresses, cpu)


def _spent(addresses: Addresses, cpu: DriverCpu) -> Days:
    api, jobs = AirflowApi(addresses.airflow), gold_report.job_times(addresses, DAG)
    runs = {run["dag_run_id"]: run["duration"] for run in api.runs(DAG)}
    days = Days(whole=list(runs.values()))
    for run in runs:
        for task in api.tasks(DAG, run):
            job = jobs[run, task.task]
            days.steps.setdefault(task.task, []).append(
                Spent(task.seconds or 0.0, job.queued, job.ran, cpu.seconds[job.id])
            )
    if not days.steps or any(len(spent) != len(runs) for spent in days.steps.values()):
        raise RuntimeError(f"not every step ran on every day: {days}")
    return days


def report(found: Mapping[str, Days]) -> str:
    """The tables, in Markdown. A step's figures are those of the last day, when no driver is new any more."""
    warm, cold = found["warm"], found["cold"]
    lines = ["| step | warm: Airflow | queue | driver | CPU | cold: Airflow | queue | driver | CPU | warm/cold CPU |"]
    lines.append("|---|" + "---:|" * 9)
    for step in warm.steps:
        last = [days.steps[step][-1] for days in (warm, cold)]
        cells = [f"{value:.1f}" for spent in last for value in (spent.airflow, spent.queued, spent.ran, spent.cpu)]
        lines.append(f"| {step} | {' | '.join(cells)} | {last[0].cpu / last[1].cpu:.2f} |")
    lines += ["", "| a day, in seconds | first | second | third |", "|---|---:|---:|---:|"]
    for drivers, days in found.items():
        lines.append(f"| {drivers}, wall | {' | '.join(f'{seconds:.0f}' for seconds in days.whole)} |")
        cpu = [sum(spent[day].cpu for spent in days.steps.values()) for day in range(len(days.whole))]
        lines.append(f"| {drivers}, CPU of drivers | {' | '.join(f'{seconds:.0f}' for seconds in cpu)} |")
    return "\n".join(lines)


def main() -> int:
    """Prints the tables. Returns 0 whatever they say."""
    found = {}
    for drivers in DRIVERS:
        say(f"three days with {drivers} drivers")
        found[drivers] = measure(drivers)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    print(f"{commit.stdout.strip()}, {os.cpu_count()} cores, {platform.machine()}\n\n{report(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
