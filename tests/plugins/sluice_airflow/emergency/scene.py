"""A whole deployment in memory: Airflow's API, EMR Serverless, the lake; and the task that stops it."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException

from sluice_airflow.emergency.airflow_api import AirflowApi, NotThere
from sluice_airflow.emergency.operator import EmergencyStopOperator, Stream
from sluice_airflow.emr.runs import ENDED
from sluice_airflow.lake_objects import LakeObjects
from tests.plugins.sluice_airflow.emr.fake_emr import SETTINGS, FakeEmr, refused

STREAM = Stream("bronze.events", "stream_dag", "events.keep_alive")
DESIRED = "_control/bronze.events.json"
RECORD = "_control/emergency_stop.json"


class FakeAirflow:
    """Airflow's REST API. A DAG whose name begins with `manual` has no schedule."""

    def __init__(self, **paused: bool) -> None:
        self.paused = paused
        self.working: dict[str, list[str]] = {}  # task ids by DAG; each look takes one away
        self.broken: set[str] = set()
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        dag_id = path.split("/")[2]
        if dag_id not in self.paused:
            raise NotThere(f"Airflow answered 404 to {path}")
        if path.endswith("/taskInstances"):
            tasks = self.working.get(dag_id, []) if query["state"] == "running" else []
            found = [{"task_id": task, "dag_run_id": "r1"} for task in tasks]
            del tasks[:1]
            return {"task_instances": found}
        if method == "PATCH":
            if dag_id in self.broken:
                raise AirflowException(f"Airflow answered 500 to {path}")
            self.paused[dag_id] = body["is_paused"]
            self.asked.append(f"{'pause' if body['is_paused'] else 'unpause'} {dag_id}")
        summary = None if dag_id.startswith("manual") else "0 0 * * *"
        return {"dag_id": dag_id, "is_paused": self.paused[dag_id], "timetable_summary": summary}


class FakeS3:
    """A bucket. It may be told to break at the writing of a key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise refused("NoSuchKey", 404)
        return {"Body": io.BytesIO(self.objects[Key]), "LastModified": datetime.now(UTC)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Key] = Body

    def json(self, key: str) -> dict[str, Any] | None:
        return json.loads(self.objects[key]) if key in self.objects else None


class Scene:
    """Two DAGs that run, one that is paused, one that only people start; a stream, and two job runs.

    Attributes:
        kill_at: the task is killed before it does this: `pause <dag>`.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.airflow = FakeAirflow(daily=False, stream_dag=False, weekly=True, manual_restore=False)
        self.emr, self.s3 = FakeEmr(), FakeS3()
        clock = SimpleNamespace(sleep=lambda seconds: self.driver_looks(), monotonic=time.monotonic)
        for module in ("sluice_airflow.emergency.job_runs", "sluice_airflow.stream.drain"):
            patch.setattr(f"{module}.time", clock)
        self.number = 0

    def starts(self, *, project: str = "sluice") -> None:
        """A stream and a batch run, and somebody else's job run."""
        ours = {"project": project}
        self.stream = self.emr.add("stream_dag/events.keep_alive code a #1 start 1", mode="STREAMING", tags=ours)
        self.batch = self.emr.add("daily/silver run-1 #0 try 1", tags=ours)
        self.other = self.emr.add("theirs", tags={"project": "another"})

    def driver_looks(self) -> None:
        """The stream's driver reads the desired state, and ends when it is told to."""
        desired = self.s3.json(DESIRED) or {"wanted": "running"}
        for run in self.emr.runs:
            if run["mode"] == "STREAMING" and run["state"] not in ENDED and desired["wanted"] == "stopped":
                run["state"] = "SUCCESS"

    def act(self, action: str, *, who: str = "Ann", why: str = "strange rows", again: bool = False) -> dict[str, Any]:
        """A new DAG run of the action, or the newest one's retry."""
        self.number += not again
        with DAG("emergency_stop", schedule=None):
            operator = EmergencyStopOperator(
                task_id="emergency_stop", dag_ids=["daily", "gone", "manual_restore", "stream_dag", "weekly"],
                streams=[STREAM], airflow_address="", mwaa_environment="", job_settings=SETTINGS,
            )  # fmt: skip
        operator.__dict__["_airflow"] = AirflowApi(self.airflow)
        operator.__dict__["hook"] = SimpleNamespace(conn=self.emr)
        operator.__dict__["_objects"] = LakeObjects(self.s3, "lake")
        params = {"action": action, "who": who, "why": why}
        context: Any = {"params": params, "run_id": f"manual__{self.number}"}
        return operator.execute(context)

    def state(self, job: str) -> str:
        return str(self.emr.run(job)["state"])


def killed_at(patch: pytest.MonkeyPatch, place: Any, name: str, matching: str = "") -> Callable[[], None]:
    """Kills the task when it calls `place.name` with an argument like `matching`; answers how to stop that."""
    real = getattr(place, name)

    def call(*arguments: Any, **options: Any) -> Any:
        if re.search(matching, str((arguments, options))):
            raise KeyboardInterrupt(f"killed at {name}")
        return real(*arguments, **options)

    patch.setattr(place, name, call)
    return lambda: patch.setattr(place, name, real)
