"""Waiting for a job run in the triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook
from airflow.providers.amazon.aws.triggers.emr import EmrServerlessStartJobTrigger
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import TriggerEvent
from asgiref.sync import sync_to_async
from botocore.exceptions import ClientError

from sluice_airflow.emr.patience import code
from sluice_airflow.emr.runs import ENDED
from sluice_airflow.emr.task_states import answers

LONGEST_PAUSE = 15.0  # seconds
CANCEL_SECONDS = 300.0  # for which a cancel that is not answered is asked for again
GONE = ("ResourceNotFoundException", "ValidationException")  # there is no such job run, or it has ended


class EmrJobTrigger(EmrServerlessStartJobTrigger):
    """Fires once: when the job run has ended, or when its wait budget is used up.

    Differs from the provider's trigger:

    - a look that fails is no end: it looks again until the budget is used up, and cancels nothing meanwhile;
    - region and botocore config travel with it (the provider drops both before 9.39);
    - the event names the job run and does not judge it: the worker asks EMR Serverless for the outcome;
    - the budget is a point in time, so a restart of the triggerer doesn't start it again;
    - it never fires before `earliest`. If a trigger fires before the worker process that deferred has ended, Airflow
      up to 3.3 fails the task (airflow#66374, #67287, #72716). With job runs of two seconds on LocalExecutor under
      3.2.1 this hit one task in twenty;
    - it asks often at first and less often later: the time lost after a job's end is a twentieth of the job's time.
    """

    def __init__(
        self,
        *,
        application_id: str,
        job_id: str,
        deadline: float,
        earliest: float = 0.0,
        region_name: str | None = None,
        botocore_config: dict[str, Any] | None = None,
        aws_conn_id: str | None = None,
        verify: bool | str | None = None,
    ) -> None:
        """Args as the provider's, and `deadline` and `earliest` in seconds since the epoch."""
        super().__init__(application_id=application_id, job_id=job_id, aws_conn_id=aws_conn_id)
        self.deadline = deadline
        self.earliest = earliest
        self.region_name = region_name
        self.botocore_config = botocore_config
        self.verify = verify

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The arguments with which the triggerer makes its own copy."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "application_id": self.application_id,
                "job_id": self.job_id,
                "deadline": self.deadline,
                "earliest": self.earliest,
                "region_name": self.region_name,
                "botocore_config": self.botocore_config,
                "aws_conn_id": self.aws_conn_id,
                "verify": self.verify,
            },
        )

    def hook(self) -> EmrServerlessHook:
        """The hook with the operator's own settings."""
        return EmrServerlessHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait. When a person ends the deferred task, cancel the job run."""
        try:
            state = await self._wait()
            await asyncio.sleep(self.earliest - time.time())
        except asyncio.CancelledError:
            if await self.safe_to_cancel():
                self.log.info("The task was ended: cancelling job run %s", self.job_id)
                await self._cancel()
            raise
        yield TriggerEvent({"job_id": self.job_id, "state": state})

    async def _wait(self) -> str:
        """The state in which the job run has ended, or is when the budget is used up; "GONE" if there is none."""
        began = time.time()
        while True:
            try:
                async with await self.hook().get_async_conn() as client:
                    return await self._watch(client, began)
            except Exception as error:  # throttled, broken, out of reach, no credentials just now
                if isinstance(error, ClientError) and code(error) in GONE:
                    self.log.warning("Job run %s is not there any more: %s", self.job_id, error)
                    return "GONE"
                if time.time() > self.deadline:
                    return "UNKNOWN"
                self.log.warning("Job run %s can't be seen, looking again: %s", self.job_id, error)
                await self._pause(began)

    async def _watch(self, client: Any, began: float) -> str:
        seen = ""
        while True:
            run = (await client.get_job_run(**self._run_key))["jobRun"]
            state: str = run["state"]
            if state != seen:
                self.log.info("Job run %s is %s", self.job_id, state)
            seen = state
            if state in ENDED or time.time() > self.deadline:
                return state
            await self._pause(began)

    async def _pause(self, began: float) -> None:
        await asyncio.sleep(min(max(1.0, (time.time() - began) / 20), LONGEST_PAUSE))

    async def _cancel(self) -> None:
        """Cancel the job run; a cancel that EMR Serverless does not take is asked for again."""
        began = time.time()
        while True:
            try:
                async with await self.hook().get_async_conn() as client:
                    await client.cancel_job_run(**self._run_key)
                return
            except Exception as error:
                if isinstance(error, ClientError) and code(error) in GONE:
                    return
                if time.time() - began > CANCEL_SECONDS:
                    self.log.error("Job run %s can't be cancelled, the next task's sweep will: %s", self.job_id, error)
                    return
                self.log.warning("Job run %s can't be cancelled yet: %s", self.job_id, error)
                await self._pause(began)

    @property
    def _run_key(self) -> dict[str, str]:
        return {"applicationId": self.application_id, "jobRunId": str(self.job_id)}

    async def get_task_state(self) -> str | None:
        """The state of the trigger's own task instance.

        The provider looks for a mapped one under its task's id alone, finds none, and takes it for deleted.

        Raises:
            ValueError: there is no such task instance: its DAG run was deleted.
        """
        own: Any = self.task_instance
        found = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=own.dag_id, task_ids=[own.task_id], run_ids=[own.run_id], map_index=own.map_index
        )
        states = list((found.get(own.run_id) or {}).values())
        if not states:
            raise ValueError(f"there is no task instance {own.dag_id}/{own.run_id}/{own.task_id}[{own.map_index}]")
        state: str | None = states[0]
        return state

    async def safe_to_cancel(self) -> bool:
        """Whether the task was ended, and the trigger not merely cancelled because the triggerer shuts down.

        A task that a worker has again, or will have, answers for its job run itself. When Airflow doesn't say, the job
        run is left alone: a sweep ends it if its task has.
        """
        try:
            return not answers(await self.get_task_state())
        except ValueError:
            return True
        except Exception as error:
            self.log.warning("Airflow does not say whether the task of job run %s was ended: %s", self.job_id, error)
            return False

    async def on_kill(self) -> None:
        """Nothing: `run` cancels the job run itself, under Airflow 3.2 (which lacks this hook) and later."""
