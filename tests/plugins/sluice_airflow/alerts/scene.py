"""A DAG's tasks that fail and succeed, as Airflow calls their callbacks, and an inbox for what is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3

from sluice_airflow.alerts import callbacks
from sluice_airflow.emr.driver_log import Failure
from sluice_airflow.emr.step_failure import StepFailed, StepFailedForGood
from tests.alert_inbox import Inbox

RUN = "scheduled__2026-11-20T00:00:00+00:00"
NEXT = "scheduled__2026-11-21T00:00:00+00:00"
SECRET = "ann.jones@example.com ordered 4711"


def reported(kind: str, error: str, step: str, message: str = "a reason", *, ours: bool = True) -> Exception:
    """What the operator raises for a job run that reported this error."""
    failure = Failure(kind, f"{error}: {message}", error, f"{error}: {message}" if ours else "")
    made = StepFailed if failure.retried else StepFailedForGood
    return made(f"{step}: {failure.reason}", step=step, failure=failure)


class Scene:
    """One deployment: its lake, its topics and its inbox."""

    def __init__(self, dag_id: str = "lake") -> None:
        self.inbox = Inbox()
        self.dag_id = dag_id
        self.bucket = f"{self.inbox.project}-lake"
        self.s3 = boto3.client("s3")
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.environment = {
            "SLUICE_PROJECT": self.inbox.project,
            "SLUICE_LAKE_BUCKET": self.bucket,
            "SLUICE_ALERT_TOPICS": self.inbox.topics,
        }
        self.states: dict[str, str | None] = {}  # of the run's tasks, as Airflow's API has them

    def context(self, task_id: str, run_id: str = RUN, *, error: Any = None, exact: bool = False) -> dict[str, Any]:
        task = SimpleNamespace(
            dag_id=self.dag_id, task_id=task_id, run_id=run_id, map_index=-1, try_number=3,
            log_url=f"http://airflow/dags/{self.dag_id}/runs/{run_id}/tasks/{task_id}",
            get_task_states=lambda dag_id, run_ids: {run_id: self.states},
        )  # fmt: skip
        midnight = datetime(2026, 11, 20, tzinfo=UTC)
        run = SimpleNamespace(
            run_type="backfill" if exact else "scheduled", run_after=midnight,
            data_interval_start=datetime(2026, 11, 19, tzinfo=UTC), data_interval_end=midnight,
        )  # fmt: skip
        return {"ti": task, "dag_run": run, "run_id": run_id, "params": {}, "exception": error}

    def fails(self, task_id: str, error: Any, run_id: str = RUN, *, exact: bool = False) -> None:
        callbacks.task_failed(self.context(task_id, run_id, error=error, exact=exact))

    def succeeds(self, task_id: str, run_id: str = RUN, *, exact: bool = False) -> None:
        callbacks.task_succeeded(self.context(task_id, run_id, exact=exact))

    def run(self, *, failed: bool, run_id: str = RUN, tasks: Iterable[str] = ()) -> None:
        """The end of a DAG run."""
        dag = SimpleNamespace(dag_id=self.dag_id, task_ids=[*tasks])
        (callbacks.run_failed if failed else callbacks.run_succeeded)({"dag": dag, "run_id": run_id, "reason": ""})

    def at_once(self, *calls: Any) -> None:
        """Calls side by side, as tasks on several workers."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda call: call(), calls))

    def told(self) -> list[str]:
        return self.inbox.titles()

    def kept(self) -> list[str]:
        """Keys of the objects that are left in the lake."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="ops/alerts/open/")
        return [one["Key"] for one in listed.get("Contents", [])]

    def change(self, key: str, **fields: Any) -> None:
        """Changes fields of an object in the lake, as time would."""
        value = json.load(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"])
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps({**value, **fields}).encode())
