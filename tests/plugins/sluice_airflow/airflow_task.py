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
        self.arguments = {"job_settings": job_settings, "task_id": task_id, "step": step, **arguments}
        self.params: dict[str, Any] = {}
        self.xcoms: dict[str, Any] = {}
        self.try_number = 1
        self.clear_number = 0

    def operator(self) -> EmrJobOperator:
        return EmrJobOperator(**self.arguments)

    def context(self) -> Any:
        task_instance = SimpleNamespace(
            dag_id="lake",
            run_id="scheduled__2026-11-20",
            task_id=self.arguments["task_id"],
            map_index=-1,
            try_number=self.try_number,
            xcom_push=lambda key, value: self.xcoms.__setitem__(key, value),
        )
        dag_run = SimpleNamespace(
            run_type="scheduled",
            data_interval_start=datetime(2026, 11, 19, tzinfo=UTC),
            data_interval_end=MIDNIGHT,
            run_after=MIDNIGHT,
            start_date=MIDNIGHT,
            clear_number=self.clear_number,
        )
        return {
            "ti": task_instance,
            "dag_run": dag_run,
            "run_id": task_instance.run_id,
            "params": self.params,
        }

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
