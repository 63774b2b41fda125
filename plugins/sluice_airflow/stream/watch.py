"""The operator that alerts a person when a stream does not do well."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from sluice_airflow.alerts import aws
from sluice_airflow.emr.driver_log import Failure
from sluice_airflow.emr.runs import JobRuns
from sluice_airflow.emr.step_failure import StepFailedForGood
from sluice_airflow.job_settings import UNSET, JobSettings, UsesJobSettings
from sluice_airflow.lake_objects import LakeObjects, s3_client
from sluice_airflow.stream.desired_state import STOPPED, DesiredStateObject
from sluice_airflow.stream.health import Health, Limits, Problem
from sluice_airflow.stream.runs import StreamRun, StreamRuns


class StreamUnwell(StepFailedForGood):
    """A stream does not do well."""


class StreamWatchOperator(UsesJobSettings, AwsBaseOperator[EmrServerlessHook]):
    """Fail when a stream should run and does not, is silent, falls behind, or dead-letters too much.

    The failed task says what is wrong, with figures, and what to do, and its failure is alerted once. It is not
    retried, because the next DAG run looks again. For a stream that was stopped on request the task is skipped.
    """

    aws_hook_class = EmrServerlessHook
    required: ClassVar[tuple[str, ...]] = ("application_id", "release", "lake_bucket")

    def __init__(
        self,
        *,
        keeper: str,
        desired_state_key: str,
        report_key: str,
        dead_letters: str,
        table: str = "",
        tables: Collection[str] = (),
        job_settings: JobSettings = UNSET,
        limits: Limits | None = None,
        aws_conn_id: str | None = None,
        execution_timeout: timedelta = timedelta(minutes=5),
        **kwargs: Any,
    ) -> None:
        """Watch the stream that another task of the DAG keeps alive.

        Args:
            keeper: id of the task that keeps the stream alive.
            desired_state_key: key of the desired state's object in the lake.
            report_key: key of the report's object in the lake.
            dead_letters: table of the stream's dead-lettered messages.
            table: that the stream writes.
            tables: whose age is told to CloudWatch: those that the stream writes, or that its messages reach.
            job_settings: of the deployment; `default_args` fill it.
            limits: beyond which a person is alerted.
            aws_conn_id: an Airflow connection; None is boto3's own chain, such as the worker's role.
            execution_timeout: time limit of the task.
            **kwargs: as any operator of the Amazon provider.
        """
        super().__init__(aws_conn_id=aws_conn_id, execution_timeout=execution_timeout, **kwargs)
        self.use(job_settings)
        self.keeper = keeper
        self.desired_state_key = desired_state_key
        self.report_key = report_key
        self.dead_letters = dead_letters
        self.table = table
        self.tables = tuple(tables)
        self.limits = limits or Limits()

    def execute(self, context: Context) -> None:
        """Look once.

        Raises:
            StreamUnwell: something is wrong.
            AirflowSkipException: the stream is stopped on request.
        """
        self.refuse_unset()
        objects = LakeObjects(s3_client(self), self.lake_bucket)
        desired = DesiredStateObject(objects, self.desired_state_key).read()
        if desired.wanted == STOPPED:
            raise AirflowSkipException(f"{self.keeper} was stopped by {desired.by}: nothing to watch")
        jobs = JobRuns(self.hook.conn, self.application_id, patience=60.0)
        runs = StreamRuns.of_task(jobs, self.dag_id, self.keeper).all()
        report, now = objects.read_json(self.report_key), datetime.now(UTC)
        health = Health.of(runs, _began(jobs, runs), report, self.code, now)
        problems = health.problems(self.limits, dead_letters=self.dead_letters, dag_id=self.dag_id)
        self._count(objects, well=not problems, now=now)
        if problems:
            lines = [f"{self.keeper}: {problem}." for problem in problems]
            lines.append(f"Newest figures: {health.figures}")
            raise StreamUnwell("\n".join(lines), step=self.table, failure=_failure(problems, health.figures))
        self.log.info("%s: all is well: %s", self.keeper, health.figures)

    def _count(self, objects: LakeObjects, *, well: bool, now: datetime) -> None:
        """The figures by which CloudWatch knows whether the stream lives, and how old its tables are."""
        aws.count({"StreamUp": float(well)}, Table=self.table)
        for table in self.tables:
            if mark := objects.read_json(f"ops/recorded/{table}.json"):
                age = now - datetime.fromisoformat(mark["committed_at"])
                aws.count({"StalenessSeconds": age.total_seconds()}, Table=table)


def _failure(problems: list[Problem], figures: str) -> Failure:
    """As which the first problem is alerted; its name is the cause, and the figures change with each look."""
    names = ", ".join(problem.name for problem in problems)
    text = f"{names}. Newest figures: {figures}"
    return Failure("stream", text, problems[0].name, text)


def _began(jobs: JobRuns, runs: list[StreamRun]) -> datetime | None:
    """When the driver of the live job run began; until then, when the job run was made. None without a live one."""
    live = next((run for run in runs if run.live), None)
    if live is None:
        return None
    began: datetime | None = jobs.get(live.id).get("startedAt") if live.state == "RUNNING" else None
    return began or live.created_at
