"""How many runs a start of the schedules makes at once: `python -m sluice_airflow.missed_runs 2026-01-01`.

A DAG that makes up for missed runs gets one for each interval since the start, when it is unpaused for the first time.
Whoever deploys is told so before.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from airflow.timetables.base import TimeRestriction
from pendulum import instance

from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY, BoundedTimetable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.lake.registry import Pipeline


def missed_runs(cron: str, first: date, now: datetime) -> int:
    """The number of intervals since a first day that are over by now."""
    timetable = BoundedTimetable(cron, first=first)
    restriction = TimeRestriction(earliest=instance(NEVER_TOO_EARLY), latest=None, catchup=True)
    last, number = None, 0
    while True:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None or info.run_after > now:
            return number
        last, number = info.data_interval, number + 1


def sentences(pipelines: Iterable[Pipeline], first: date, now: datetime) -> list[str]:
    """What a person reads, for each DAG that makes up for missed runs: those of `pipeline_dag`."""
    found = []
    for pipeline in pipelines:
        dag, cron = pipeline.schedule.dag_id, pipeline.schedule.cron
        number = missed_runs(cron, first, now)
        begin = f"{dag}: its schedule begins on {first}"
        if number:
            found.append(f"{begin}, so that it makes up for {number} runs as soon as it is unpaused")
        else:
            found.append(f"{begin}, so that it makes up for none")
    return found


if __name__ == "__main__":
    from jobs.lake.tables import PIPELINES

    print("\n".join(sentences(PIPELINES, date.fromisoformat(sys.argv[1]), datetime.now(UTC))))
