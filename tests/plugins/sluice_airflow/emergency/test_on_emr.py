"""The stop on the local EMR Serverless: real drivers end, and the stream goes on after the undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from sluice_airflow.emergency.airflow_api import AirflowApi
from sluice_airflow.emergency.operator import EmergencyStopOperator, Stream
from tests.plugins.sluice_airflow.airflow_task import Task, job_id
from tests.plugins.sluice_airflow.emergency.scene import FakeAirflow

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws
    from tests.plugins.sluice_airflow.stream.stream_task import StreamTask

OURS = {"project": "stopped"}


@pytest.mark.slow
def test_stream_drains_a_step_is_cancelled_others_live_and_the_stream_goes_on_after_the_undo(
    aws: LocalAws, stream_task: Callable[..., StreamTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluice_airflow.emergency.job_runs.POLL_SECONDS", 0.2)
    airflow = FakeAirflow(lake=False)
    stream = stream_task("halted", settings=OURS)
    live = stream.by_hand("run")
    step = job_id(Task(aws, "halted.step", step="sleep", settings=OURS).start())
    other = job_id(Task(aws, "others.step", step="sleep").start())
    for job in (live, step, other):
        aws.wait_for(str(job), "RUNNING")

    def act(action: str) -> dict[str, Any]:
        with DAG("emergency_stop", schedule=None):
            operator = EmergencyStopOperator(
                task_id="emergency_stop", dag_ids=["lake"], streams=[Stream("halted", "lake", "halted")],
                airflow_address="", mwaa_environment="", job_settings=replace(aws.settings, **OURS),
            )  # fmt: skip
        operator.__dict__["_airflow"] = AirflowApi(airflow)
        context: Any = {"params": {"action": action, "who": "Ann", "why": "drill"}, "run_id": f"manual__{action}"}
        return operator.execute(context)

    done = act("stop")

    assert list(done["cancelled"]) == [step]
    assert (done["paused"], done["drained"]) == (["lake"], ["halted"])
    states = {name: aws.job(str(job))["state"] for name, job in (("stream", live), ("step", step), ("other", other))}
    assert states == {"stream": "SUCCESS", "step": "CANCELLED", "other": "RUNNING"}

    act("undo")
    assert airflow.paused == {"lake": False}
    again = stream.scheduled()
    assert again not in (None, live)
    aws.wait_for(str(again), "RUNNING")
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=other)
