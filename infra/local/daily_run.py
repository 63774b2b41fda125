"""Runs the daily DAG over its scheduled days, and prints its progress."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from infra.local import airflow, gold_report
from infra.local.addresses import Addresses
from infra.local.airflow_api import AirflowApi
from infra.local.errors import PlatformError
from infra.local.lifecycle import say
from infra.local.polling import wait_until
from infra.local.run_watch import RunWatch

PARSED_WITHIN = 60.0  # seconds
STARTED_WITHIN = 120.0
LOOK_SECONDS = 2.0  # each look costs this process and the API server 20 ms of the cores that Spark needs
DAG = airflow.SCHEDULED_DAG


@dataclass(frozen=True)
class Day:
    """The scheduled run of one data interval, which begins on the date (ISO)."""

    date: str
    run_id: str
    state: str
    seconds: float | None

    @classmethod
    def of(cls, run: dict[str, Any]) -> Day:
        """From the REST API's document."""
        return cls(run["logical_date"][:10], run["dag_run_id"], run["state"], run["duration"])


def run(addresses: Addresses) -> int:
    """Runs every scheduled day that has not succeeded, then prints gold.

    A day that failed goes on from its failed tasks.

    Returns:
        Exit code: 1 when a day failed.
    """
    begun = time.monotonic()
    api = AirflowApi(addresses.airflow)
    _wait_until_parsed(api)
    days = _scheduled_runs(api)
    if [day.state for day in days] == ["success"] * len(_scheduled_dates()):
        say(f"{DAG} is done for {', '.join(_scheduled_dates())}")
    else:
        _ask_for_passed_days(api)
        api.pause(DAG, False)
        say(f"{DAG} for {', '.join(_scheduled_dates())}")
        if not _watch(api, earlier=days):
            api.pause(DAG, True)
            say(
                f"\nRepair the cause, then `make run` goes on from the failed tasks. "
                f"The DAG is paused until then: {addresses.airflow}/dags/{DAG}"
            )
            return 1
        say(f"all runs succeeded, {time.monotonic() - begun:.0f} s")
    gold_report.show(addresses, api, DAG, {day.run_id: (day.date, day.seconds) for day in _scheduled_runs(api)})
    say(f"\nAirflow UI: {addresses.airflow}/dags/{DAG}")
    return 0


def _ask_for_passed_days(api: AirflowApi) -> None:
    """Asks for the days that the scheduler will never run, as it only goes on from the last day that has a run.

    Such are the days before those of an earlier command with a smaller SLUICE_DAYS, and those whose runs were deleted.
    """
    first, _ = airflow.schedule()
    present = {run["logical_date"][:10] for run in api.runs(DAG, since=first)}
    passed = [day for day in _scheduled_dates() if day not in present and day < max(present, default="")]
    if passed:
        say(f"  {', '.join(passed)}: Airflow's schedule has passed, so a backfill runs it")
        api.backfill(DAG, date.fromisoformat(passed[0]), date.fromisoformat(passed[-1]))


def _watch(api: AirflowApi, earlier: list[Day]) -> bool:
    """Follows the runs to their end. Returns False as soon as one has failed.

    Args:
        api: Airflow's.
        earlier: runs that were there before. Each that has not succeeded gets one more chance when it fails: the
            cause may have been repaired since it began.
    """
    watch = RunWatch(api, DAG)
    done = {day.run_id for day in earlier if day.state == "success"}
    chances = {day.run_id for day in earlier} - done
    last_moved = time.monotonic()
    while True:
        days = _scheduled_runs(api)
        for day in days:
            if day.run_id not in done:
                watch.look(day.date, day.run_id)
        failed = [day for day in days if day.state == "failed"]
        if failed and not chances.issuperset(day.run_id for day in failed):
            for day in failed:
                watch.explain(day.date, day.run_id)
            return False
        for day in failed:
            chances.remove(day.run_id)
            say(f"  {day.date}  failed, but began before this command: running its failed tasks again")
            api.clear_failed(DAG, day.run_id)
        missing = set(_scheduled_dates()) - {day.date for day in days}
        if not missing and all(day.state == "success" for day in days):
            return True
        if any(day.state == "running" for day in days):
            last_moved = time.monotonic()
        elif time.monotonic() - last_moved > STARTED_WITHIN:
            raise PlatformError(
                f"Airflow starts no run{f' for {sorted(missing)}' if missing else ''}: read its scheduler's log"
            )
        time.sleep(LOOK_SECONDS)


def _wait_until_parsed(api: AirflowApi) -> None:
    """Waits until the DAG is there and every file is parsed. Errors of earlier code may stay for a while."""

    def unparsed() -> PlatformError:
        reason = "\n".join(api.import_errors()) or f"there is no {DAG}, and no import error"
        return PlatformError(f"Airflow can't parse all DAGs: {reason}")

    wait_until(
        lambda: not api.import_errors() and api.dag(DAG) is not None, seconds=PARSED_WITHIN, late=unparsed, pause=1
    )


def _scheduled_dates() -> list[str]:
    first, last = airflow.schedule()
    return [(first + timedelta(days)).isoformat() for days in range((last - first).days + 1)]


def _scheduled_runs(api: AirflowApi) -> list[Day]:
    """The runs of the scheduled days so far, oldest first."""
    first, _ = airflow.schedule()
    return [day for day in map(Day.of, api.runs(DAG, since=first)) if day.date in _scheduled_dates()]
