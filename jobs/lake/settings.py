"""The only reader of the environment. Standard library only, so that DAGs can import it.

AWS endpoints, region and credentials are not here: every AWS SDK reads its own `AWS_*` variables.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date

from jobs.lake.errors import ConfigurationError


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
        release: S3 prefix of the code release, `s3://<code bucket>/releases/<hash>`.
        worker_wait_seconds: how long an Airflow worker waits for a job run before it hands the wait to the triggerer.
        schedule_start: first data interval of scheduled DAGs.
        schedule_end: last one; None for no end.
        airflow_address: where Airflow's REST API is asked without a log-in; empty where it is asked through AWS.
        mwaa_environment: name of the MWAA environment, whose REST API is asked through AWS.
        alert_topics: what the ARNs of the alerts' topics begin with; `-<severity>` follows.
        openlineage_url: where lineage is sent; empty where the lake keeps it.
    """

    project: str
    lake_bucket: str
    code_bucket: str
    release: str
    emr_application_id: str
    emr_role_arn: str
    worker_wait_seconds: float
    schedule_start: date
    schedule_end: date | None
    airflow_address: str = ""
    mwaa_environment: str = ""
    alert_topics: str = ""
    openlineage_url: str = ""

    @property
    def log_uri(self) -> str:
        return f"s3://{self.code_bucket}/logs/"


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
    """The deployment's values in the environment of the scheduler and the workers."""
    end = os.environ.get("SLUICE_SCHEDULE_END")
    return Deployment(
        project=project(),
        lake_bucket=os.environ.get("SLUICE_LAKE_BUCKET", ""),
        code_bucket=os.environ.get("SLUICE_CODE_BUCKET", ""),
        release=os.environ.get("SLUICE_RELEASE", "").rstrip("/"),
        emr_application_id=os.environ.get("SLUICE_EMR_APPLICATION_ID", ""),
        worker_wait_seconds=float(os.environ.get("SLUICE_WORKER_WAIT_SECONDS") or 0),
        emr_role_arn=os.environ.get("SLUICE_EMR_ROLE_ARN", ""),
        schedule_start=date.fromisoformat(os.environ.get("SLUICE_SCHEDULE_START") or "2026-01-01"),
        schedule_end=date.fromisoformat(end) if end else None,
        airflow_address=os.environ.get("SLUICE_AIRFLOW_ADDRESS", ""),
        mwaa_environment=os.environ.get("SLUICE_MWAA_ENVIRONMENT", ""),
        alert_topics=alert_topics(),
        openlineage_url=openlineage_url(),
    )


def project() -> str:
    """The deployment's name: prefix of the names of secrets and topics."""
    return os.environ.get("SLUICE_PROJECT") or "sluice"


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ConfigurationError(f"{name} is not set: set it in the job's environment (driverEnv on EMR)")
    return value
