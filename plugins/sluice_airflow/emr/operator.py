"""The operator with which a DAG runs a Spark step on EMR Serverless."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from airflow.providers.amazon.aws.operators.emr import EmrServerlessStartJobOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    TaskDeferralError,
    TaskDeferralTimeout,
)

from sluice_airflow.alerts import aws
from sluice_airflow.emr.driver_log import DriverLog, Failure, log_folder
from sluice_airflow.emr.figures import of_job_run
from sluice_airflow.emr.identity import JobIdentity, asked
from sluice_airflow.emr.orphans import end_orphans
from sluice_airflow.emr.patience import patiently
from sluice_airflow.emr.request import step_line
from sluice_airflow.emr.runs import ENDED, JobRunLink, JobRuns
from sluice_airflow.emr.step_failure import StepFailed, StepFailedForGood
from sluice_airflow.emr.trigger import EmrJobTrigger
from sluice_airflow.job_settings import UNSET, JobSettings, UsesJobSettings
from sluice_airflow.lake_objects import log_client
from sluice_airflow.lineage.parent import lineage_parent
from sluice_airflow.run_window import RunWindow

LOG_SECONDS = 20  # logs are shipped apart from the state, and may come after it
RESUME_DELAY_SECONDS = 10  # after a deferral: by then Airflow has noted that the worker's process ended
TRIGGERER_GRACE = timedelta(minutes=5)


class EmrJobOperator(UsesJobSettings, EmrServerlessStartJobOperator):
    """Run one step of the lake as one EMR Serverless job run, and wait for a long one in the triggerer.

    House defaults, and why they differ from the provider's:

    - *Client token and name* derive from the task instance, its try and what is asked. The provider draws a token at
      each parse, so a repeated submission starts a second job. A job run of the same work of which the same was asked
      is adopted, live or ended well: a task whose worker or trigger was lost goes on with its job.
    - *Only what this try answers for is cancelled*: when a person ends it or its wait budget is used up. A killed task
      submits nothing any more. What other tasks have left is ended first (`orphans`).
    - *A short job does not travel*: a deferral costs some 15 s. The worker itself waits for `worker_wait_seconds`.
    - *Wait budget*: the job's own time limit plus the time it may queue (the provider: 25 minutes). A job run that
      takes longer is cancelled. One that can't be seen for a while is looked at again.
    - *A failed run says why*: the error that the job reported, its driver's last lines, where the log is. The
      provider's deferrable path raises `KeyError: 'job_details'`. Bad data and bad set-up are never retried. The job
      run's state alone decides whether it failed; the log may be unreadable.
    - *The application isn't started* first: EMR Serverless starts it with the job.
    - `execution_timeout` limits the task's time on a worker, before and after the job. The job itself has
      `execution_timeout_minutes`.
    """

    template_fields: Sequence[str] = (
        "application_id", "execution_role_arn", "release", "step", "subject", "arguments", "name", "job_driver",
    )  # fmt: skip
    template_fields_renderers: ClassVar[dict[str, str]] = {"arguments": "json", "job_driver": "json"}
    operator_extra_links = (JobRunLink(),)  # type: ignore[assignment]  # typed as the provider's own links

    def __init__(
        self,
        *,
        step: str,
        execution_timeout_minutes: int,
        job_settings: JobSettings = UNSET,
        subject: str = "",
        arguments: Mapping[str, Any] | Sequence[str] = (),
        windowed: bool = True,
        selected_by: str | None = None,
        spark_conf: Mapping[str, str] | None = None,
        queue_timeout_minutes: int = 60,
        aws_conn_id: str | None = None,
        execution_timeout: timedelta | None = timedelta(minutes=10),
        **kwargs: Any,
    ) -> None:
        """A task that runs one step.

        Args:
            step: the step that `run.py` runs, such as `silver.orders`.
            execution_timeout_minutes: the job's time limit, of its row in the registry; EMR Serverless keeps it.
            job_settings: of the deployment; `default_args` fill it.
            subject: what the step is about: the pipeline of `gate` and `register`.
            arguments: more words for `run.py`, or options by name (`request.command_line`).
            windowed: pass the run's window (`run_window`).
            selected_by: DAG parameter that lists the steps to run; others are skipped. An empty list means all.
            spark_conf: Spark settings of this step.
            queue_timeout_minutes: how long it may wait for capacity before that.
            aws_conn_id: an Airflow connection; None is boto3's own chain, such as the worker's role.
            execution_timeout: limit of the task's time on a worker, before the job and again after it.
            **kwargs: as the provider's operator.
        """
        super().__init__(
            application_id=job_settings.application_id,
            execution_role_arn=job_settings.execution_role_arn,
            job_driver={},
            configuration_overrides={},
            deferrable=True,
            aws_conn_id=aws_conn_id,
            execution_timeout=execution_timeout,
            **kwargs,
        )
        self.use(job_settings)
        self.step = step
        self.subject = subject
        self.arguments = arguments
        self.windowed = windowed
        self.selected_by = selected_by
        self.spark_conf = spark_conf
        self.execution_timeout_minutes = execution_timeout_minutes
        self.queue_timeout_minutes = queue_timeout_minutes
        self.identity: JobIdentity | None = None
        self.killed = False

    # On a worker, before the job

    def execute(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Adopt or submit the job run, wait a short while for it, then hand over to the triggerer.

        One that has ended by then, or was adopted after its success, is judged here.
        """
        selected = context["params"].get(self.selected_by) if self.selected_by else None
        if selected and self.step not in selected:
            raise AirflowSkipException(f"{self.step} is not among the chosen {self.selected_by}: {selected}")
        self.refuse_unset()
        identity = self._identify(context)
        end_orphans(self._runs, context["ti"], project=self.project)
        if adopted := self._runs.adoptable(identity, killed=lambda: self.killed):
            self._refuse_if_killed()
            self.job_id, created = adopted["id"], adopted["createdAt"].timestamp()
            self.log.info("Adopting job run %s: %s, %s", self.job_id, adopted["name"], adopted["state"])
            self._runs.answer_for(adopted, identity)
        else:
            self._submit(identity, self._request(context, job=identity.name))
            created = time.time()
        job_id = str(self.job_id)
        context["ti"].xcom_push(key=JobRunLink.key, value=self._runs.address(job_id, self._log_folder))
        waited = self._runs.ends_within(job_id, self.worker_wait_seconds, killed=lambda: self.killed)
        if waited or (adopted and adopted["state"] in ENDED):
            return self.execute_complete(context, {"job_id": self.job_id})
        budget = timedelta(minutes=self.execution_timeout_minutes + self.queue_timeout_minutes)
        deadline = created + budget.total_seconds()
        self._refuse_if_killed()
        self.defer(
            trigger=EmrJobTrigger(
                application_id=self.application_id,
                job_id=str(self.job_id),
                deadline=deadline,
                earliest=time.time() + RESUME_DELAY_SECONDS,
                region_name=self.hook.conn_region_name,
                botocore_config=self.botocore_config,
                aws_conn_id=self.aws_conn_id,
                verify=self.verify,
            ),
            method_name="execute_complete",
            # Airflow's own limit matters only when no triggerer is there to keep the deadline.
            timeout=timedelta(seconds=max(0.0, deadline - time.time())) + TRIGGERER_GRACE,
        )

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render, then fill in what depends on the run: "Rendered Templates" shows what is submitted."""
        super().render_template_fields(context, jinja_env)
        self._identify(context)

    def _identify(self, context: Context) -> JobIdentity:
        """Fill in what depends on the run: name, token and the job's command line."""
        self.execution_role_arn = self.role(self.step)
        nameless = self._request(context, job="")  # all tries of a task ask the same, but for their names
        identity = JobIdentity.of(context, retries=self.retries or 0, asked=asked(nameless))
        request = self._request(context, job=identity.name)
        self.job_driver, self.configuration_overrides = request["jobDriver"], request["configurationOverrides"]
        self.identity, self.name, self.client_request_token = identity, identity.name, identity.token
        return identity

    def _request(self, context: Context, *, job: str) -> dict[str, Any]:
        """What is asked of EMR Serverless: of a job run of this name, in this DAG run."""
        dag_id, run_id = context["ti"].dag_id, context["ti"].run_id
        arguments = step_line(self.step, subject=self.subject, dag_id=dag_id, run_id=run_id, job=job, code=self.code)
        if self.windowed:
            try:
                arguments += RunWindow.of(context["dag_run"], context["params"]).arguments()
            except ValueError as error:
                raise AirflowFailException(f"{self.step}: {error}") from error
        if job:  # each try is a parent of its own, and all tries ask the same
            arguments += ["--lineage-parent", lineage_parent(context)]
        request = self.job_request(arguments, self.arguments, self.spark_conf)
        role, limit = self.execution_role_arn, self.execution_timeout_minutes
        return {**request, "executionRoleArn": role, "executionTimeoutMinutes": limit, **self.config}

    def _submit(self, identity: JobIdentity, request: Mapping[str, Any]) -> None:
        def start() -> str:
            self._refuse_if_killed()
            response = self.hook.conn.start_job_run(
                applicationId=self.application_id,
                clientToken=identity.token,
                name=identity.name,
                tags=identity.tags(self.project),
                **request,
            )
            return str(response["jobRunId"])

        self.job_id = patiently(start)
        if self.killed:  # while EMR Serverless took the request: `on_kill` did not find the job run
            self._runs.cancel(self.job_id, "the task was killed while it was submitted")
        self._refuse_if_killed()
        words = " ".join(self.job_driver["sparkSubmit"]["entryPointArguments"])
        self.log.info("Submitted job run %s: run.py %s", self.job_id, words)

    def _refuse_if_killed(self) -> None:
        if self.killed:
            raise AirflowException(f"{self.step}: the task was killed")

    # On a worker, after the job

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume. When Airflow lost the trigger or the time-out came first, the job run's own state decides.

        One that has ended is judged. One that is live is left for the retry to adopt; it is cancelled when there will
        be none, or its wait budget is used up.
        """
        identity = self._identify(context)
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except (TaskDeferralError, TaskDeferralTimeout) as error:
            run = self._runs.newest(identity)
            if run is None:
                raise
            if run["state"] in ENDED:
                return self.execute_complete(context, {"job_id": run["id"]})
            task_instance = context["ti"]
            if isinstance(error, TaskDeferralTimeout) or task_instance.try_number > task_instance.max_tries:
                self._runs.cancel(run["id"], f"Airflow stopped waiting, and no retry will go on: {error}")
            raise

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Judge the job run; answers its id.

        Raises:
            StepFailedForGood: bad data or bad set-up; a retry would fail the same way.
            StepFailed: the job run failed of anything else; retried as the task says.
            AirflowException: no event, or the job run did not end in time.
        """
        if event is None:
            raise AirflowException(f"{self.step}: the trigger sent no event")
        job_id = self.job_id = str(event["job_id"])
        run = self._runs.get(job_id)
        if run["state"] in ENDED:
            aws.count(of_job_run(run), Dag=self.dag_id)
        if run["state"] == "SUCCESS":
            self.log.info("Job run %s succeeded. Its output:\n%s", job_id, self._log_tail("stdout", 200).text)
            return job_id
        if run["state"] not in ENDED:
            self._runs.cancel(job_id, "its wait budget is used up")
            raise AirflowException(
                f"{self.step}: job run {job_id} was {run['state']} when its {self.execution_timeout_minutes} "
                f"minutes to run and {self.queue_timeout_minutes} to queue were over; cancelled"
            )
        stdout, stderr = self._log_tail("stdout", 80), self._log_tail("stderr", 20)
        self.log.error("The JVM's last lines:\n%s\nThe job's last lines:\n%s", stderr.text, stdout.text)
        failure = Failure.of((stdout, stderr), run.get("stateDetails") or "")
        error = StepFailed if failure.retried else StepFailedForGood
        raise error(
            f"{self.step}: {failure.reason}\n"
            f"Job run {job_id} {run['state']}: {failure.kind} error"
            f"{'' if failure.retried else ', never retried'}. Logs: {self._log_folder}",
            step=self.step,
            failure=failure,
        )

    def on_kill(self) -> None:
        """Submit nothing any more, and cancel the job run, even when its id has not come back yet."""
        self.killed = True
        if self.identity is not None:
            self._runs.cancel_own(self.identity, self.job_id, "the task was killed")

    # The services

    @cached_property
    def _runs(self) -> JobRuns:
        return JobRuns(self.hook.conn, self.application_id)

    @property
    def _log_folder(self) -> str:
        return log_folder(self.log_uri, self.application_id, str(self.job_id))

    def _log_tail(self, stream: str, lines: int) -> DriverLog:
        uri = f"{self._log_folder}{stream}.gz"
        try:
            s3 = log_client(self)
        except Exception as error:  # no connection, no credentials
            return DriverLog(uri, missing=f"{uri} can't be read: {error}")
        return DriverLog.tail(s3, uri, lines=lines, patience=LOG_SECONDS)
