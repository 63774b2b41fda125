"""The only reader of the environment. Standard library only, so that DAGs can import it.

AWS endpoints, region and credentials are not here: every AWS SDK reads its own `AWS_*` variables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from jobs.lake import release
from jobs.lake.errors import ConfigurationError

DRIVER_PREFIX = "SLUICE_DRIVER_"  # what follows is the name of a variable of every job's driver


@dataclass(frozen=True)
class Lake:
    """Where a job reads and writes.

    Attributes:
        bucket: S3 bucket of the lake.
        project: prefix of the names of secrets.
    """

    bucket: str
    project: str

    @property
    def root(self) -> str:
        return f"s3://{self.bucket}"

    def uri(self, table: str) -> str:
        """`silver.orders` -> `s3://<bucket>/silver/orders`."""
        return f"{self.root}/{table.replace('.', '/')}"


@dataclass(frozen=True)
class Deployment:
    """What a DAG has to know about the platform that it runs on. Unset values are empty, so that a DAG always parses.

    Attributes:
        release: S3 prefix of the code release, `s3://<code bucket>/releases/<hash>`. A release's tree of DAGs knows its
            name; of a checkout, the environment says what was uploaded.
        emr_role_arn: role of job runs; `{kind}` in it stands for the kind of job (`job_kinds`).
        worker_wait_seconds: how long an Airflow worker waits for a job run before it hands the wait to the triggerer.
        schedule_start: first data interval of scheduled DAGs; None until somebody gives it: then nothing is scheduled.
        schedule_end: last one; None for no end.
        airflow_address: where Airflow's REST API is asked without a log-in; empty where it is asked through AWS.
        mwaa_environment: name of the MWAA environment, whose REST API is asked through AWS.
        alert_topics: what the ARNs of the alerts' topics begin with; `-<severity>` follows.
        openlineage_url: where lineage is sent; empty where the lake keeps it.
        python_archive: name of the release's archive for the architecture of the EMR Serverless application.
        jars: names of the release's jars. Both are said here, in the tree of the release, as the operators that ask for
            them are Airflow's plugins, which change at another moment.
        driver_variables: what the environment of every job's driver has besides: the region, and what the deployment
            sets in place of a source's own address or authority.
    """

    project: str
    lake_bucket: str
    code_bucket: str
    logs_bucket: str
    release: str
    emr_application_id: str
    emr_role_arn: str
    worker_wait_seconds: float
    schedule_start: date | None
    schedule_end: date | None
    airflow_address: str = ""
    mwaa_environment: str = ""
    alert_topics: str = ""
    openlineage_url: str = ""
    python_archive: str = ""
    jars: tuple[str, ...] = ()
    driver_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def log_uri(self) -> str:
        """Where EMR Serverless puts drivers' logs; empty while no bucket is named."""
        return f"s3://{self.logs_bucket}/" if self.logs_bucket else ""


def lake() -> Lake:
    """The lake that this process works on.

    Raises:
        ConfigurationError: SLUICE_LAKE_BUCKET is not set.
    """
    return Lake(bucket=_required("SLUICE_LAKE_BUCKET"), project=project())


def emr_application_id() -> str:
    """The EMR Serverless application that this job runs in.

    Raises:
        ConfigurationError: SLUICE_EMR_APPLICATION_ID is not set.
    """
    return _required("SLUICE_EMR_APPLICATION_ID")


def alert_topics() -> str:
    """What the ARNs of the alerts' topics begin with; empty when the deployment has none."""
    return os.environ.get("SLUICE_ALERT_TOPICS", "")


def openlineage_url() -> str:
    """Where lineage is sent; empty where the lake keeps it."""
    return os.environ.get("SLUICE_OPENLINEAGE_URL", "")


def replacement(variable: str) -> str | None:
    """What the environment sets in place of a source's own address or certificate authority; None for the vendor's.

    Each source names its own variable, because the kernel knows no source.
    """
    return os.environ.get(variable) or None


def storage_options() -> dict[str, str]:
    """S3 endpoint for delta-rs, whose object store doesn't read the SDKs' service-specific variable."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return {}
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": str(endpoint.startswith("http:")).lower()}


def deployment() -> Deployment:
    """The deployment's values in the environment of the scheduler and the workers.

    Raises:
        ConfigurationError: EMR Serverless has no such architecture.
    """
    start, end = os.environ.get("SLUICE_SCHEDULE_START"), os.environ.get("SLUICE_SCHEDULE_END")
    code_bucket = os.environ.get("SLUICE_CODE_BUCKET", "")
    return Deployment(
        project=project(),
        lake_bucket=os.environ.get("SLUICE_LAKE_BUCKET", ""),
        code_bucket=code_bucket,
        logs_bucket=os.environ.get("SLUICE_LOGS_BUCKET", ""),
        release=_release(code_bucket),
        emr_application_id=os.environ.get("SLUICE_EMR_APPLICATION_ID", ""),
        worker_wait_seconds=float(os.environ.get("SLUICE_WORKER_WAIT_SECONDS") or 0),
        emr_role_arn=os.environ.get("SLUICE_EMR_ROLE_ARN", ""),
        schedule_start=date.fromisoformat(start) if start else None,
        schedule_end=date.fromisoformat(end) if end else None,
        airflow_address=os.environ.get("SLUICE_AIRFLOW_ADDRESS", ""),
        mwaa_environment=os.environ.get("SLUICE_MWAA_ENVIRONMENT", ""),
        alert_topics=alert_topics(),
        openlineage_url=openlineage_url(),
        python_archive=_python_archive(),
        jars=release.JARS,
        driver_variables=_driver_variables(),
    )


def _release(code_bucket: str) -> str:
    """A tree of DAGs that is a release's own asks for that release, whatever the environment says."""
    if named := release.of_tree():
        return release.prefix(code_bucket, named) if code_bucket else ""
    return os.environ.get("SLUICE_RELEASE", "").rstrip("/")


def _python_archive() -> str:
    try:
        return release.python_archive(os.environ.get("SLUICE_EMR_ARCHITECTURE") or "X86_64")  # EMR's own default
    except ValueError as error:
        raise ConfigurationError(f"SLUICE_EMR_ARCHITECTURE: {error}. Set it as the application has it.") from error


def _driver_variables() -> dict[str, str]:
    """Of the region, boto3 reads one name and delta-rs the other; EMR Serverless sets neither in a driver."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    named = {
        name.removeprefix(DRIVER_PREFIX): value for name, value in os.environ.items() if name.startswith(DRIVER_PREFIX)
    }
    return {**({"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}), **named}


def project() -> str:
    """The deployment's name: prefix of the names of secrets and topics."""
    return os.environ.get("SLUICE_PROJECT") or "sluice"


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ConfigurationError(f"{name} is not set: set it in the job's environment (driverEnv on EMR)")
    return value
