"""A task of the operator, driven on the path that Airflow takes: execute, trigger, resume."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

from sluice_airflow.emr.operator import EmrJobOperator

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


class Task:
    """One task of one DAG run, as Airflow drives it: a new operator wherever there would be a new process."""

    def __init__(
        self, aws: LocalAws, task_id: str, *, step: str, settings: Mapping[str, str] | None = None, **arguments: Any
    ) -> None:
        job_settings = replace(aws.settings, **(settings or {}))
        known = {"job_settings": job_settings, "task_id": task_id, "step": step}
        self.arguments = {**known, "execution_timeout_minutes": 150, "retries": 2, **arguments}
        self.params: dict[str, Any] = {}
        self.xcoms: dict[str, Any] = {}
        self.run_id = "scheduled__2026-11-20"
        self.run_started = MIDNIGHT
        self.map_index = -1
        self.try_number = 1
        self.max_tries = 2  # as the task's retries, until it is cleared
        self.clear_number = 0
        self.states: dict[str, dict[str, str | None]] = {}  # of run id and task, as Airflow's API has them

    def operator(self) -> EmrJobOperator:
        return EmrJobOperator(**self.arguments)

    def context(self) -> Any:
        task_instance = SimpleNamespace(
            dag_id="lake",
            run_id=self.run_id,
            task_id=self.arguments["task_id"],
            map_index=self.map_index,
            try_number=self.try_number,
            max_tries=self.max_tries,
            xcom_push=lambda key, value: self.xcoms.__setitem__(key, value),
            get_task_states=self._task_states,
        )
        dag_run = SimpleNamespace(
            run_type="scheduled",
            data_interval_start=datetime(2026, 11, 19, tzinfo=UTC),
            data_interval_end=MIDNIGHT,
            run_after=MIDNIGHT,
            start_date=self.run_started,
            clear_number=self.clear_number,
        )
        return {
            "ti": task_instance,
            "dag_run": dag_run,
            "run_id": task_instance.run_id,
            "params": self.params,
        }

    def clear(self) -> None:
        """A person clears this task while it is not on a worker; the next try starts."""
        self.clear_number += 1
        self.max_tries = self.try_number + self.arguments["retries"]
        self.try_number += 1

    def _task_states(self, *, dag_id: str, run_ids: list[str]) -> dict[str, Any]:
        """Every task of these tests is on its worker, unless a test says otherwise."""
        if not self.states:
            raise ConnectionError("no Airflow runs here")
        return {run_id: self.states.get(run_id, {}) for run_id in run_ids if dag_id == "lake"}

    def start(self) -> TaskDeferred:
        """Run the task up to its deferral."""
        with pytest.raises(TaskDeferred) as deferred:
            self.operator().execute(self.context())
        assert deferred.value.trigger.earliest > time.time() + 5
        deferred.value.trigger.earliest = 0.0  # nothing here needs the pause
        return deferred.value

    def finish(self, deferred: TaskDeferred) -> Any:
        """Let the trigger wait, then resume the task with its event."""
        event = asyncio.run(first_event(deferred))
        return self.operator().resume_execution(deferred.method_name, {"event": event}, self.context())

    def run(self) -> Any:
        return self.finish(self.start())


async def first_event(deferred: TaskDeferred) -> Any:
    """What the triggerer gets of a trigger that went through the database."""
    classpath, kwargs = deferred.trigger.serialize()
    trigger = import_string(classpath)(**json.loads(json.dumps(kwargs)))
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger ended without an event")


def job_id(deferred: TaskDeferred) -> str:
    return str(deferred.trigger.serialize()[1]["job_id"])
