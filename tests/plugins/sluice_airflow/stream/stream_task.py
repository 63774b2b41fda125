"""A stream's task as Airflow runs it every few minutes: a new operator each time, in a new DAG run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG

from sluice_airflow.emr.runs import JobRuns
from sluice_airflow.stream.desired_state import DesiredState
from sluice_airflow.stream.keep_alive import EmrStreamOperator
from sluice_airflow.stream.runs import StreamRuns

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws

NEXT = "s3://sluice-code/releases/next"
GONE = "s3://sluice-code/releases/gone"  # its job runs fail before their drivers start


class StreamTask:
    """The task that keeps one stream alive; the stream ends as soon as its desired state says so."""

    def __init__(
        self,
        aws: LocalAws,
        task_id: str,
        *,
        step: str = "",
        settings: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> None:
        self.aws = aws
        self.task_id = task_id
        self.key = f"_control/{task_id}.json"
        self.arguments = {
            "job_settings": replace(aws.settings, **(settings or {})), "task_id": task_id,
            "step": step or f"stream.{task_id}", "desired_state_key": self.key, "failures_per_hour": 1, **arguments,
        }  # fmt: skip
        self.xcoms: dict[str, Any] = {}
        self._numbers = count(1)
        self._newest: Any = None

    def operator(self) -> EmrStreamOperator:
        with DAG("lake", schedule=None):
            return EmrStreamOperator(**self.arguments)

    def deploy(self, release: str) -> None:
        """Another release is deployed: Airflow makes the operators of the next DAG runs with it."""
        self.arguments["job_settings"] = replace(self.aws.settings, release=release)

    def scheduled(self) -> str | None:
        """The next scheduled DAG run's task; answers the live job run's id."""
        return self.operator().execute(self.dag_run("scheduled", {"action": "run"}))

    def by_hand(self, action: str) -> str | None:
        """The task of a DAG run that a person has triggered."""
        return self.operator().execute(self.dag_run("manual", {"action": action}))

    def again(self, *, clear: bool = False) -> str | None:
        """The newest DAG run's task once more: a retry, or because a person has cleared it."""
        self._newest["dag_run"].clear_number += clear
        self._newest["ti"].start_date = datetime.now(UTC)
        return self.operator().execute(self._newest)

    def dag_run(self, run_type: str, params: dict[str, Any]) -> Any:
        """The context of a task in a new DAG run."""
        number = next(self._numbers)
        run_id = f"{run_type}__{number}"
        self._newest = {
            "ti": SimpleNamespace(
                xcom_push=lambda key, value: self.xcoms.__setitem__(key, value), start_date=datetime.now(UTC)
            ),
            "dag_run": SimpleNamespace(
                run_type=run_type, start_date=datetime(2026, 11, 20, 0, number, tzinfo=UTC), clear_number=0
            ),
            "run_id": run_id,
            "params": params,
        }
        return self._newest

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The stream's job runs, oldest first."""
        return self.aws.runs(self.task_id)

    @property
    def stream(self) -> StreamRuns:
        """The job runs as the operator sees them."""
        return StreamRuns.of_task(JobRuns(self.aws.emr, self.aws.application_id), "lake", self.task_id)

    @property
    def desired_state(self) -> DesiredState:
        return DesiredState(**json.load(self.aws.s3.get_object(Bucket="sluice-lake", Key=self.key)["Body"]))

    @desired_state.setter
    def desired_state(self, desired: DesiredState) -> None:
        self.aws.s3.put_object(Bucket="sluice-lake", Key=self.key, Body=json.dumps(vars(desired)).encode())
