"""The operator that keeps a stream alive on EMR Serverless."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from sluice_airflow.emr.driver_log import run_folder
from sluice_airflow.emr.identity import tags
from sluice_airflow.emr.orphans import end_orphans
from sluice_airflow.emr.patience import patiently
from sluice_airflow.emr.request import step_line
from sluice_airflow.emr.runs import CANCELLING_SECONDS, JobRunLink, JobRuns
from sluice_airflow.job_settings import UNSET, JobSettings, UsesJobSettings
from sluice_airflow.lake_objects import LakeObjects, log_client, s3_client
from sluice_airflow.stream.desired_state import NO_RELEASE, STOPPED, DesiredState, DesiredStateObject
from sluice_airflow.stream.drain import drain
from sluice_airflow.stream.last_run import log_end
from sluice_airflow.stream.next_run import NextJobRun
from sluice_airflow.stream.restart_policy import RestartPolicy
from sluice_airflow.stream.runs import StreamRun, StreamRuns

LONGEST_SLEEP = timedelta(minutes=1)  # a longer rest is left to the next DAG run
PATIENCE_SECONDS = 30.0  # for which a request that is not answered is made again
MARGIN_SECONDS = 120.0  # to read the last job run's logs, for a short rest, and for the start


class EmrStreamOperator(UsesJobSettings, AwsBaseOperator[EmrServerlessHook]):
    """Keep exactly one EMR Serverless job run of a stream alive; a short task, run every few minutes.

    The task remembers nothing. It asks EMR Serverless what runs, and reads the desired state from an object in the
    lake, which the stream's driver reads too. So it may be lost or run again at any moment:

    - A live job run of the deployed release is *adopted*: there is nothing to do.
    - A job run of another release is asked to drain by the desired state: it finishes its batch and ends. Then the
      new one starts. A job run that doesn't end within `drain_seconds` is cancelled.
    - Without a live job run it *starts* one, after a rest that doubles with each failure in a row (`RestartPolicy`).
      Before a job run counts as failed, EMR Serverless itself tries it `failures_per_hour` times an hour.
    - Name and client token follow from the job run before: if the answer to a submission is lost, the next submission
      gives the same job run.
    - It ends only job runs that it has seen, and asks for nothing once another keeper has asked since it began: a
      keeper that was held up does not undo what a later one did.

    The DAG's parameter `action` is `run`, `stop` or `restart`. Once stopped, only a run by hand starts the stream
    again. A run by hand doesn't wait for the rest of a stream that fails.
    """

    aws_hook_class = EmrServerlessHook
    template_fields: Sequence[str] = ("application_id", "execution_role_arn", "release", "step", "desired_state_key")
    operator_extra_links = (JobRunLink(),)

    restart_policy: ClassVar[RestartPolicy] = RestartPolicy()

    def __init__(
        self,
        *,
        step: str,
        desired_state_key: str,
        job_settings: JobSettings = UNSET,
        arguments: Mapping[str, Any] | Sequence[str] = (),
        spark_conf: Mapping[str, str] | None = None,
        drain_seconds: float = 180.0,
        failures_per_hour: int = 5,
        aws_conn_id: str | None = None,
        execution_timeout: timedelta = timedelta(minutes=10),
        **kwargs: Any,
    ) -> None:
        """Refuses a time to drain that the task doesn't have.

        Args:
            step: the step that `run.py` runs, such as `bronze.orders_events`.
            desired_state_key: key of the desired state's object in the lake.
            job_settings: of the deployment; `default_args` fill it.
            arguments: more words for `run.py`, or options by name (`request.command_line`).
            spark_conf: Spark settings of this stream.
            drain_seconds: a driver's time to finish its batch and end; after that it is cancelled.
            failures_per_hour: attempts of one job run within an hour, made by EMR Serverless; 1 to 10.
            aws_conn_id: an Airflow connection; None is boto3's own chain, such as the worker's role.
            execution_timeout: time limit of the task.
            **kwargs: as any operator of the Amazon provider.
        """
        super().__init__(aws_conn_id=aws_conn_id, execution_timeout=execution_timeout, **kwargs)
        if drain_seconds + CANCELLING_SECONDS + MARGIN_SECONDS > execution_timeout.total_seconds():
            raise ValueError(
                f"{step}: {drain_seconds:.0f} s to drain and {CANCELLING_SECONDS} s to be cancelled don't fit into "
                f"execution_timeout {execution_timeout}: raise it"
            )
        self.use(job_settings)
        self.step = step
        self.desired_state_key = desired_state_key
        self.arguments = arguments
        self.spark_conf = spark_conf
        self.drain_seconds = drain_seconds
        self.failures_per_hour = failures_per_hour
        self._asked: DesiredState | None = None

    def execute(self, context: Context) -> str | None:
        """Bring what runs in step with the desired state; answers the id of the live job run, None without one."""
        self.refuse_unset()
        by, by_hand = _asked_by(context), context["dag_run"].run_type == "manual"
        end_orphans(self._jobs, context["ti"], project=self.project)
        runs = self._stream.all()
        unended = [run for run in runs if not run.over]
        # Read after the job runs: each of them was asked for before it was started.
        action, desired = context["params"].get("action", "run"), self._desired_state.read()
        if action == "stop":
            self._ask(DesiredState(STOPPED, by=by), context)
            self._drain(unended, "it was asked to stop")
            self.log.info("%s is stopped. To start it again, trigger %s with action=run", self.step, self.dag_id)
            return None
        if desired.wanted == STOPPED and not by_hand:
            self._drain(unended, f"{desired.by} has stopped it")
            again = f"To start it again, trigger {self.dag_id} with action=run"
            raise AirflowSkipException(f"{self.step} was stopped by {desired.by}. {again}")
        if action == "restart" and desired.by != by:  # equal in a retry, when an earlier try has already asked
            desired = self._ask(DesiredState(code=NO_RELEASE, by=by), context)
        good = (run for run in unended if run.live and run.code == self.code and desired.keeps(run.code))
        if kept := next(good, None):
            return self._adopt(kept, unended, context)
        if unended:
            if any(desired.keeps(run.code) for run in unended):
                self._ask(DesiredState(code=self.code, by=by), context)
            self._drain(unended, f"a new job run of release {self.code} is to start")
            runs = self._stream.all()
        return self._start(runs, by, by_hand, context)

    def _ask(self, desired: DesiredState, context: Context) -> DesiredState:
        """Writes the desired state, unless another keeper has written it since this one began.

        Raises:
            AirflowException: one has. Its wish is newer than what this one knows; a retry looks again.
        """
        found, written_at = self._desired_state.look()
        if found not in (desired, self._asked) and written_at and written_at > context["ti"].start_date:
            raise AirflowException(f"{self.step}: {found.by} has asked for something else meanwhile; it is left so")
        self._asked = self._desired_state.write(desired)
        return desired

    def on_kill(self) -> None:
        """Nothing: the stream must outlive the task, which only looks after it. To end it, run action=stop."""

    def _adopt(self, kept: StreamRun, unended: Sequence[StreamRun], context: Context) -> str:
        for run in unended:
            if run.live and run is not kept:
                self._jobs.cancel(run.id, f"only one may run, and job run {kept.id} goes on")
        since = f"{kept.changed_at:%Y-%m-%d %H:%M:%S}"
        self.log.info(
            "%s has been %s since %s UTC, attempt %d: %s. Nothing to do",
            kept.id, kept.state, since, kept.attempt, kept.name,
        )  # fmt: skip
        return self._link(kept.id, context)

    def _start(self, runs: Sequence[StreamRun], by: str, by_hand: bool, context: Context) -> str | None:
        if late := next((run for run in runs if not run.over), None):
            raise AirflowException(f"{self.step}: job run {late.id} was started meanwhile; it is left alone")
        if runs:
            log_end(runs[0], log_client(self), log_uri=self.log_uri, application_id=self.application_id)
        if not by_hand and not self._rested(runs):
            self._link(runs[0].id, context)
            return None
        self._ask(DesiredState(code=self.code, by=by), context)
        first_by = f"{context['run_id']} {context['dag_run'].start_date}"
        previous = runs[0] if runs else None
        following = NextJobRun.after(previous, prefix=self._stream.prefix, code=self.code, first_by=first_by)
        return self._link(self._submit(following), context)

    def _rested(self, runs: Sequence[StreamRun]) -> bool:
        """Whether it may start again. A short rest is waited for here; a long one is left to the next DAG run."""
        now = datetime.now(UTC)
        rest = self.restart_policy.rest(runs, self.code, now)
        if rest >= LONGEST_SLEEP:
            self.log.warning(
                "%s has failed %d times in a row: it rests until %s UTC. To start it now, trigger %s with action=run",
                self.step, self.restart_policy.failures(runs, self.code, now), f"{now + rest:%H:%M:%S}", self.dag_id,
            )  # fmt: skip
            return False
        if rest > timedelta(0):
            self.log.info("%s has failed: it rests for another %.0f s", self.step, rest.total_seconds())
            time.sleep(rest.total_seconds())
        return True

    def _submit(self, following: NextJobRun) -> str:
        arguments = step_line(
            self.step, dag_id=self.dag_id, run_id=following.run_id, job=following.name, code=self.code
        )
        request = self.job_request(arguments, self.arguments, self.spark_conf)
        response = patiently(
            lambda: self.hook.conn.start_job_run(
                clientToken=following.token,
                applicationId=self.application_id,
                executionRoleArn=self.role(self.step),
                mode="STREAMING",
                retryPolicy={"maxFailedAttemptsPerHour": self.failures_per_hour},
                executionTimeoutMinutes=0,  # no limit: without this setting a job run ends after 12 hours
                name=following.name,
                tags=tags(project=self.project, dag=self.dag_id, task=self.task_id, run=following.run_id),
                **request,
            ),
            seconds=PATIENCE_SECONDS,
        )
        self.log.info("Submitted job run %s: run.py %s", response["jobRunId"], " ".join(arguments))
        return str(response["jobRunId"])

    def _drain(self, runs: Sequence[StreamRun], why: str) -> None:
        drain(self._stream, [run.id for run in runs], why, seconds=self.drain_seconds)

    def _link(self, job_id: str, context: Context) -> str:
        address = self._jobs.address(job_id, run_folder(self.log_uri, self.application_id, job_id))
        context["ti"].xcom_push(key=JobRunLink.key, value=address)
        return job_id

    @cached_property
    def _jobs(self) -> JobRuns:
        return JobRuns(self.hook.conn, self.application_id, patience=PATIENCE_SECONDS)

    @cached_property
    def _stream(self) -> StreamRuns:
        return StreamRuns.of_task(self._jobs, self.dag_id, self.task_id)

    @cached_property
    def _desired_state(self) -> DesiredStateObject:
        return DesiredStateObject(LakeObjects(s3_client(self), self.lake_bucket), self.desired_state_key)


def _asked_by(context: Any) -> str:
    """The DAG run that asks. After a clear it counts as another one: who clears the task asks again."""
    clear_number = context["dag_run"].clear_number or 0
    return f"{context['run_id']}{f' clear {clear_number}' if clear_number else ''}"
