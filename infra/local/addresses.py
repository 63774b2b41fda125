"""Where each local stand-in listens, and the exports that bring a client there.

Everything listens on 127.0.0.1. Two variables move a whole platform, so that a test run never meets a running one:
SLUICE_HOME (state folder) and SLUICE_PORT (first of ten ports in a row).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
REGION = "eu-west-1"
ACCOUNT_ID = "123456789012"  # moto's account
EMR_APPLICATION_NAME = "sluice"


@dataclass(frozen=True)
class Addresses:
    """One platform's state folder and ports.

    Attributes:
        home: state folder: logs, S3 objects, Airflow's database, pid files.
        port: first port. +0 Airflow, +1 AWS (moto), +2 S3, +3 Snowflake, +4 Salesforce, +5 ECB, +6 Kafka with
            SASL_SSL, +7 Kafka in plain text, +8 Kafka's controller.
        project: prefix of secret names and buckets.
    """

    home: Path
    port: int
    project: str = "sluice"

    @classmethod
    def from_environment(cls) -> Addresses:
        return cls(
            home=Path(os.environ.get("SLUICE_HOME") or REPOSITORY / ".sluice").resolve(),
            port=int(os.environ.get("SLUICE_PORT") or 8100),
            project=os.environ.get("SLUICE_PROJECT") or "sluice",
        )

    def _url(self, offset: int) -> str:
        return f"http://{HOST}:{self.port + offset}"

    @property
    def airflow(self) -> str:
        return self._url(0)

    @property
    def aws(self) -> str:
        return self._url(1)

    @property
    def s3(self) -> str:
        return self._url(2)

    @property
    def snowflake(self) -> str:
        return self._url(3)

    @property
    def salesforce(self) -> str:
        return self._url(4)

    @property
    def ecb(self) -> str:
        return self._url(5)

    @property
    def kafka(self) -> str:
        """The broker's `host:port` for clients with a log-in."""
        return f"{HOST}:{self.port + 6}"

    @property
    def kafka_plaintext(self) -> str:
        return f"{HOST}:{self.port + 7}"

    @property
    def kafka_controller(self) -> str:
        return f"{HOST}:{self.port + 8}"

    @property
    def kafka_authority(self) -> Path:
        """PEM file of the authority that signed the broker's certificate. The broker's first start makes it."""
        return self.home / "kafka" / "authority.pem"

    @property
    def lake_bucket(self) -> str:
        return f"{self.project}-lake"

    @property
    def code_bucket(self) -> str:
        return f"{self.project}-code"

    @property
    def logs_bucket(self) -> str:
        return f"{self.project}-logs"

    @property
    def reports_bucket(self) -> str:
        """Of Athena's results, as on AWS."""
        return f"{self.project}-reports"

    @property
    def emr_application_id(self) -> str:
        return application_id(EMR_APPLICATION_NAME)

    def environment(self) -> dict[str, str]:
        """What jobs, Airflow, the AWS CLI and a person's own clients need to reach this platform."""
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "AWS_ACCESS_KEY_ID": "sluice-local",
            "AWS_SECRET_ACCESS_KEY": "sluice-local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            # moto answers calls that it lacks with HTTP 500. SDKs would retry these for long.
            "AWS_MAX_ATTEMPTS": "2",
            # boto3 and the aws command would ask `api.127.0.0.1` for MWAA.
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "SNOWFLAKE_ENDPOINT_URL": self.snowflake,
            "SALESFORCE_ENDPOINT_URL": self.salesforce,
            "KAFKA_SSL_CA_FILE": str(self.kafka_authority),
            "FX_RATES_URL": f"{self.ecb}/stats/eurofxref/eurofxref-hist.zip",
            "SLUICE_HOME": str(self.home),
            "SLUICE_PORT": str(self.port),
            "SLUICE_PROJECT": self.project,
            "SLUICE_LAKE_BUCKET": self.lake_bucket,
            "SLUICE_CODE_BUCKET": self.code_bucket,
            "SLUICE_LOGS_BUCKET": self.logs_bucket,
            "SLUICE_EMR_APPLICATION_ID": self.emr_application_id,
            "SLUICE_EMR_ROLE_ARN": f"arn:aws:iam::{ACCOUNT_ID}:role/{self.project}-job-{{kind}}",
            "SLUICE_ALERT_TOPICS": f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{self.project}-alerts",
            "SLUICE_ATHENA_OUTPUT": f"s3://{self.reports_bucket}/athena/",
        }


def application_id(name: str) -> str:
    """The id of a local EMR Serverless application, in AWS's form. It only depends on the name."""
    return "00" + hashlib.sha256(name.encode()).hexdigest()[:14]
