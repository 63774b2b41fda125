"""A run that takes longer than it may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.definitions.deadline import DeadlineReference

from jobs.lake.settings import Deployment
from sluice_airflow.alerts import deadline
from tests import airflow_home
from tests.plugins.sluice_airflow.alerts.scene import NEXT, RUN

if TYPE_CHECKING:
    from tests.plugins.sluice_airflow.alerts.scene import Scene

DEPLOYMENT = Deployment(
    "sluice", "lake", "code", "logs", "s3://code/releases/a", "app", "role", 0.0, date(2026, 1, 1), None
)


def missed(scene: Scene, **run: Any) -> None:
    """What Airflow's triggerer does, several times as several schedulers may have found the miss."""
    shown = {"dag_id": scene.dag_id, "dag_run_id": RUN, "state": "running", "run_type": "scheduled", **run}
    made = deadline.alert("*/15 * * * *", DEPLOYMENT).callback
    for _ in range(3):
        asyncio.run(deadline.missed(**made.kwargs, context={"dag_run": shown, "deadline": {}}))


@pytest.mark.parametrize(
    ("cron", "limit"),
    [
        ("*/5 * * * *", timedelta(minutes=30)),
        ("*/15 * * * *", timedelta(minutes=45)),
        ("0 * * * *", timedelta(hours=3)),
        ("0 0 * * *", timedelta(hours=6)),
        ("0 0 * * 0", timedelta(hours=6)),
    ],
)
def test_limit_follows_from_the_schedule(cron: str, limit: timedelta) -> None:
    assert deadline.time_limit(cron) == limit
    assert type(deadline.time_limit(cron)) is timedelta, "Airflow 3.3 can't store another kind of duration"
    made = deadline.alert(cron, DEPLOYMENT)
    assert made.interval == limit
    assert made.reference == DeadlineReference.DAGRUN_QUEUED_AT
    assert made.callback.path == "sluice_airflow.alerts.deadline.missed"


def test_every_deployment_has_deadlines_of_its_own() -> None:
    # Airflow 3.2.1 loses the deadline of a DAG that changes while its deadline does not.
    one, other = (deadline.alert("0 * * * *", replace(DEPLOYMENT, release=name)) for name in ("a", "b"))
    assert one != other
    assert one == deadline.alert("0 * * * *", replace(DEPLOYMENT, release="a"))


def test_missed_deadline_is_told_once_and_its_recovery_once(scene: Scene) -> None:
    missed(scene)
    (told,) = scene.inbox.received()
    assert (told["topic"], told["error"]) == ("high", "DeadlineMissed")
    assert told["title"] == "lake: a run takes longer than 45 minutes"
    scene.succeeds("silver.a")
    assert scene.told() == []
    scene.run(failed=False)
    scene.run(failed=False, run_id=NEXT)
    assert scene.told() == ["recovery lake: a run takes longer than 45 minutes"]


@pytest.mark.parametrize("run", [{"state": "failed"}, {"state": "success"}, {"run_type": "backfill"}])
def test_run_that_is_over_or_waited_behind_others_of_a_backfill_missed_nothing(
    scene: Scene, run: dict[str, str]
) -> None:
    missed(scene, **run)
    assert scene.told() == []


def test_callback_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(deadline.missed(minutes=1, deployment="d", context={}))
    assert "could not be told" in caplog.text


def test_triggerer_finds_the_deployment_although_the_dag_folder_is_not_on_its_path(tmp_path: Path) -> None:
    code = "from sluice_airflow.alerts import aws\nprint(aws.deployment().alert_topics)"
    plugins = airflow_home.REPOSITORY / "plugins"
    found = airflow_home.run_bare(code, tmp_path, path=plugins, extra={"SLUICE_ALERT_TOPICS": "arn:topics"})
    assert found.splitlines()[-1] == "arn:topics"
