"""A DAG run that takes longer than it may is told while it runs: Airflow's deadline alerts.

Three faults of Airflow 3.2.1 are worked around. A DAG that changes while its deadline does not loses it without a word
(apache/airflow#68732): ours names the deployment, which changes with every release. Several schedulers report one miss
several times (#64710): the cause is opened once. A run that has failed misses its deadline too (#60927): it is not
told.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime as moment

from sluice_airflow.alerts.callbacks import run_address
from sluice_airflow.alerts.cause import Cause
from sluice_airflow.alerts.desk import Desk
from sluice_airflow.alerts.open_causes import WHOLE_RUN, Failed

if TYPE_CHECKING:
    from jobs.lake.settings import Deployment

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=6)
INTERVALS = 3

log = logging.getLogger(__name__)


def alert(cron: str, deployment: Deployment) -> DeadlineAlert:
    """The deadline of each run of a DAG, from when it was queued: `time_limit`."""
    digest = hashlib.sha256(repr(deployment).encode()).hexdigest()[:12]
    limit = time_limit(cron)
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=limit,
        callback=AsyncCallback(missed, kwargs={"minutes": int(limit.total_seconds() // 60), "deployment": digest}),
    )


def time_limit(cron: str) -> timedelta:
    """Three intervals of the schedule, but 30 minutes at least and 6 hours at most."""
    timetable = CronDataIntervalTimetable(cron, "UTC")
    interval = timetable.infer_manual_data_interval(run_after=moment(2026, 1, 15))
    # Airflow 3.3 stores a DAG's deadline, and knows no pendulum Duration.
    seconds = (interval.end - interval.start).total_seconds()
    return min(max(timedelta(seconds=INTERVALS * seconds), SHORTEST), LONGEST)


async def missed(*, minutes: int, deployment: str, context: Any) -> None:
    """Called in the triggerer.

    Args:
        minutes: time limit of the run.
        deployment: digest of the deployment; only makes this deadline another one than the last deployment's.
        context: the DAG run, as Airflow's API shows it.
    """
    try:
        await asyncio.to_thread(_tell, minutes, context["dag_run"])
    except Exception:  # raised, it would end the triggerer's callback without a word; the log tells it
        log.exception("A missed deadline could not be told")


def _tell(minutes: int, run: Any) -> None:
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if run["state"] not in ("queued", "running") or run["run_type"] == "backfill":
        log.info("Run %s of %s is %s, %s: no deadline", run_id, dag_id, run["run_type"], run["state"])
        return
    about = {
        "title": f"{dag_id}: a run takes longer than {minutes} minutes",
        "what": f"Run {run_id} was queued {minutes} minutes ago and is still {run['state']}.",
        "links": [["DAG run", run_address(dag_id, run_id)]],
    }
    Desk.of(dag_id).failed(Cause(dag_id, "deadline", "DeadlineMissed"), Failed(WHOLE_RUN, run_id), about)
