"""The operator that alerts a person when a stream does not do well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sluice_airflow.emr.runs import JobRuns
from sluice_airflow.job_settings import UNSET, JobSettings, UsesJobSettings
from sluice_airflow.lake_objects import LakeObjects, s3_client
from sluice_airflow.stream.desired_state import STOPPED, DesiredStateObject
from sluice_airflow.stream.health import Health, Limits
from sluice_airflow.stream.runs import StreamRun, StreamRuns


class StreamWatchOperator(UsesJobSettings, AwsBaseOperator[EmrServerlessHook]):
    """Fail when a stream should run and does not, is silent, falls behind, or dead-letters too much.

    The failed task is the alert: it says what is wrong, with figures, and what to do. It is not retried, because the
    next DAG run looks again. For a stream that was stopped on request the task is skipped.
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
        self.limits = limits or Limits()

    def execute(self, context: Context) -> None:
        """Look once.

        Raises:
            AirflowFailException: the alert.
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
        if problems := health.problems(self.limits, dead_letters=self.dead_letters, dag_id=self.dag_id):
            lines = [f"{self.keeper}: {problem}." for problem in problems]
            raise AirflowFailException("\n".join([*lines, f"Newest figures: {health.figures}"]))
        self.log.info("%s: all is well: %s", self.keeper, health.figures)


def _began(jobs: JobRuns, runs: list[StreamRun]) -> datetime | None:
    """When the driver of the live job run began; until then, when the job run was made. None without a live one."""
    live = next((run for run in runs if run.live), None)
    if live is None:
        return None
    began: datetime | None = jobs.get(live.id).get("startedAt") if live.state == "RUNNING" else None
    return began or live.created_at
