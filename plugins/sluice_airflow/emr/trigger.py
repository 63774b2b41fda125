"""Waiting for a job run in the triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook
from airflow.providers.amazon.aws.triggers.emr import EmrServerlessStartJobTrigger
from airflow.triggers.base import TriggerEvent

from sluice_airflow.emr.runs import ENDED

LONGEST_PAUSE = 15.0  # seconds


class EmrJobTrigger(EmrServerlessStartJobTrigger):
    """Fires once: when the job run has ended, or when its wait budget is used up.

    Differs from the provider's trigger:

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
        run_key = {"applicationId": self.application_id, "jobRunId": str(self.job_id)}
        async with await self.hook().get_async_conn() as client:
            try:
                state = await self._wait(client, run_key)
                await asyncio.sleep(self.earliest - time.time())
            except asyncio.CancelledError:
                if await self.safe_to_cancel():
                    self.log.info("The task was ended: cancelling job run %s", self.job_id)
                    await client.cancel_job_run(**run_key)
                raise
        yield TriggerEvent({"job_id": self.job_id, "state": state})

    async def _wait(self, client: Any, run_key: dict[str, str]) -> str:
        began, seen = time.time(), ""
        while True:
            run = (await client.get_job_run(**run_key))["jobRun"]
            state: str = run["state"]
            if state != seen:
                self.log.info("Job run %s is %s", self.job_id, state)
            now, seen = time.time(), state
            if state in ENDED or now > self.deadline:
                return state
            await asyncio.sleep(min(max(1.0, (now - began) / 20), LONGEST_PAUSE))

    async def safe_to_cancel(self) -> bool:
        """Whether the task was ended, and the trigger not merely cancelled because the triggerer shuts down."""
        try:
            return bool(await super().safe_to_cancel())
        except ValueError:  # how the provider says that the task instance is gone: its DAG run was deleted
            return True

    async def on_kill(self) -> None:
        """Nothing: `run` cancels the job run itself, under Airflow 3.2 (which lacks this hook) and later."""
