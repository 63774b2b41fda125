"""The deployment's values that every job run needs: one argument of an operator, which `default_args` fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from sluice_airflow.emr.request import command_line, job_request

if TYPE_CHECKING:
    from jobs.lake.settings import Deployment

VARIABLES = {
    "application_id": "SLUICE_EMR_APPLICATION_ID",
    "execution_role_arn": "SLUICE_EMR_ROLE_ARN",
    "release": "SLUICE_RELEASE",
    "log_uri": "SLUICE_LOGS_BUCKET",
    "lake_bucket": "SLUICE_LAKE_BUCKET",
}


@dataclass(frozen=True)
class JobSettings:
    """What a job run needs to know of the deployment. Unset values are empty, so that a DAG always parses.

    Attributes:
        application_id: EMR Serverless application.
        execution_role_arn: the role that the job runs as; `{kind}` in it stands for the kind of the step.
        release: S3 prefix of the code release.
        log_uri: S3 prefix of the logs.
        lake_bucket: the lake's bucket.
        project: prefix of the names of secrets.
        worker_wait_seconds: how long a worker waits for a job run before it hands the wait to the triggerer.
        alert_topics: what the ARNs of the alerts' topics begin with.
        openlineage_url: where lineage is sent; empty where the lake keeps it.
        python_archive: name of the release's archive with the jobs' packages, for the application's architecture.
        jars: names of the release's jars.
        driver_variables: what the environment of every driver has besides.
    """

    application_id: str = ""
    execution_role_arn: str = ""
    release: str = ""
    log_uri: str = ""
    lake_bucket: str = ""
    project: str = "sluice"
    worker_wait_seconds: float = 0.0
    alert_topics: str = ""
    openlineage_url: str = ""
    python_archive: str = ""
    jars: tuple[str, ...] = ()
    driver_variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, deployment: Deployment) -> JobSettings:
        """The settings of a deployment."""
        return cls(
            application_id=deployment.emr_application_id,
            execution_role_arn=deployment.emr_role_arn,
            release=deployment.release,
            log_uri=deployment.log_uri,
            lake_bucket=deployment.lake_bucket,
            project=deployment.project,
            worker_wait_seconds=deployment.worker_wait_seconds,
            alert_topics=deployment.alert_topics,
            openlineage_url=deployment.openlineage_url,
            python_archive=deployment.python_archive,
            jars=deployment.jars,
            driver_variables=deployment.driver_variables,
        )


UNSET = JobSettings()  # an operator without settings parses; it names what is missing when it runs


class UsesJobSettings:
    """Part of an operator: the settings as its own attributes, so that Airflow can render and show them."""

    application_id: str
    execution_role_arn: str
    release: str
    log_uri: str
    lake_bucket: str
    project: str
    worker_wait_seconds: float
    alert_topics: str
    openlineage_url: str
    python_archive: str
    jars: tuple[str, ...]
    driver_variables: Mapping[str, str]

    required: ClassVar[tuple[str, ...]] = tuple(VARIABLES)

    def use(self, settings: JobSettings) -> None:
        for each in fields(settings):
            setattr(self, each.name, getattr(settings, each.name))

    def refuse_unset(self) -> None:
        """Names the environment variables that are missing.

        Raises:
            AirflowFailException: a setting that this operator requires is empty.
        """
        if unset := [VARIABLES[name] for name in VARIABLES if name in self.required and not getattr(self, name)]:
            raise AirflowFailException(f"not set in the environment of Airflow: {', '.join(unset)}")

    @property
    def code(self) -> str:
        """Hash of the code release."""
        return self.release.rpartition("/")[2]

    def role(self, step: str) -> str:
        """ARN of the role that a step's job run has."""
        from jobs.lake import job_kinds  # of the DAG's own release

        return job_kinds.role(self.execution_role_arn, step)

    def job_request(
        self,
        step_words: Sequence[str],
        arguments: Mapping[str, Any] | Sequence[Any],
        spark_conf: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        """What is asked of EMR Serverless for a step in this deployment: `request.job_request`.

        Args:
            step_words: how the command line begins: `request.step_line`.
            arguments: the rest of it: `request.command_line`.
            spark_conf: Spark settings of the step.
        """
        return job_request(
            release=self.release,
            python_archive=self.python_archive,
            jars=self.jars,
            arguments=[*step_words, *command_line(arguments)],
            environment=self.driver_environment,
            spark_conf=spark_conf or {},
            log_uri=self.log_uri,
        )

    @property
    def driver_environment(self) -> dict[str, str]:
        """What a step reads from its driver's environment: its lake, where to ask which jobs are live, whom to tell.

        A driver of EMR Serverless has nothing of Airflow's environment but this.
        """
        return {
            **self.driver_variables,
            "SLUICE_PROJECT": self.project,
            "SLUICE_LAKE_BUCKET": self.lake_bucket,
            "SLUICE_EMR_APPLICATION_ID": self.application_id,
            "SLUICE_ALERT_TOPICS": self.alert_topics,
            "SLUICE_OPENLINEAGE_URL": self.openlineage_url,
        }
