"""The AWS stand-in as a process, with moto as its S3, and real clients that call it."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil

from infra.local.addresses import HOST, REGION, REPOSITORY, Addresses
from infra.local.polling import wait_until, wait_until_serving
from infra.setup import jars

BUCKET = "code"
ROLE = "arn:aws:iam::123456789012:role/job"
START_SECONDS = 60
TERMINAL = ("SUCCESS", "FAILED", "CANCELLED")


@dataclass
class Server:
    """A running stand-in."""

    process: subprocess.Popen[bytes]
    addresses: Addresses

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.addresses.aws,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def end(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(60)


def start_server(home: Path, port: int, **variables: str) -> Server:
    """Starts a stand-in and waits until it answers.

    A minute of executionTimeoutMinutes lasts 0.6 seconds, and logs go out each second, unless its variables say more.
    """
    addresses = Addresses(home=home, port=port)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "LOCAL_EMR_"))}
    environment |= {
        "SLUICE_HOME": str(home),
        "SLUICE_PORT": str(port),
        "SLUICE_JARS": os.environ.get("SLUICE_JARS") or str(jars.folder()),
        "AWS_ENDPOINT_URL_S3": addresses.aws,
        "LOCAL_EMR_MINUTE_SECONDS": "0.6",
        "LOCAL_EMR_SHIP_SECONDS": "1",
        **variables,
    }
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.aws.server"], cwd=REPOSITORY, env=environment, stdout=log, stderr=log
        )
    wait_until_serving(
        lambda: urllib.request.urlopen(f"{addresses.aws}/moto-api/", timeout=5).close(),
        process,
        home / "server.log",
        seconds=START_SECONDS,
    )
    return Server(process, addresses)


# Terraform's provider puts `api.` before MWAA's host, and can't be told not to. Go asks a proxy for any host but this
# machine, and the local AWS answers what comes through it as a proxy.
MWAA_HOST = "http://mwaa.local"


def for_terraform(addresses: Addresses) -> dict[str, str]:
    """The environment in which Terraform and boto3 find this AWS: no file of the project knows of it."""
    return {
        "AWS_ENDPOINT_URL": addresses.aws,
        "AWS_ENDPOINT_URL_S3": addresses.aws,
        "AWS_ENDPOINT_URL_MWAA": MWAA_HOST,
        "HTTP_PROXY": addresses.aws,
        "NO_PROXY": f"{HOST},localhost",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TF_CLI_ARGS_init": "-backend-config=use_path_style=true",
    }


class Jobs:
    """Job runs of one application. Each runs a small program."""

    def __init__(self, server: Server) -> None:
        self.emr = server.client("emr-serverless")
        self.s3 = server.client("s3")
        self.application = self.emr.create_application(
            name="tests", releaseLabel="emr-spark-8.1.0", type="SPARK", clientToken="tests"
        )["applicationId"]

    def upload(self, name: str, body: str | bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        return f"s3://{BUCKET}/{name}"

    def start(self, program: str, *arguments: str, parameters: str = "", **request: Any) -> str:
        """Starts a job run of a program's text and gives its id."""
        spark = {
            "entryPoint": self.upload(f"programs/{abs(hash(program))}/run.py", program),
            "entryPointArguments": list(arguments),
        }
        if parameters:
            spark["sparkSubmitParameters"] = parameters
        logs = {"s3MonitoringConfiguration": {"logUri": f"s3://{BUCKET}/logs/"}}
        request = {
            "applicationId": self.application,
            "executionRoleArn": ROLE,
            "jobDriver": {"sparkSubmit": spark},
            "configurationOverrides": {"monitoringConfiguration": logs},
            **request,
        }
        run_id: str = self.emr.start_job_run(**request)["jobRunId"]
        return run_id

    def get(self, run_id: str, **request: Any) -> dict[str, Any]:
        job_run: dict[str, Any] = self.emr.get_job_run(applicationId=self.application, jobRunId=run_id, **request)[
            "jobRun"
        ]
        return job_run

    def cancel(self, run_id: str) -> None:
        self.emr.cancel_job_run(applicationId=self.application, jobRunId=run_id)

    def wait(self, run_id: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        """Waits for one of the states, or for the end."""
        wanted = states or TERMINAL
        wait_until(lambda: self.get(run_id)["state"] in (*wanted, *TERMINAL), seconds=seconds)
        return self.get(run_id)

    def shipped(self, run_id: str) -> str:
        """The log so far; empty if it is not in S3 yet."""
        try:
            return self.log(run_id)
        except self.s3.exceptions.NoSuchKey:
            return ""

    def log(self, run_id: str, stream: str = "stdout", attempt: str = "") -> str:
        key = f"logs/applications/{self.application}/jobs/{run_id}/{attempt}SPARK_DRIVER/{stream}.gz"
        return gzip.decompress(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()).decode()


def gone(pid: int) -> bool:
    """Whether a process has ended. A zombie has ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
