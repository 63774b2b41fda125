"""The operator's surroundings: an Airflow context to run in, and the local EMR Serverless to run on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from jobs.lake.errors import LakeError
from tests import airflow_home

airflow_home.use()

if TYPE_CHECKING:
    from sluice_airflow.job_settings import JobSettings
    from tests.plugins.sluice_airflow.stream.stream_task import StreamTask

ENDED = ("SUCCESS", "FAILED", "CANCELLED")
EXIT_CODES = {error.kind: error.exit_code for error in (LakeError, *LakeError.__subclasses__())}
RUN_PY = """
import json, os, signal, sys, time
from pathlib import Path

step, *arguments = sys.argv[1:]
verb, _, detail = step.partition(".")
print("step", step, "arguments", json.dumps(arguments))
print("environment", *map(os.environ.get, ("SLUICE_LAKE_BUCKET", "SLUICE_PROJECT", "SLUICE_EMR_APPLICATION_ID")))
if verb == "sleep":
    time.sleep(600)
if verb == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    import boto3

    boto3.client("s3").put_object(Bucket=os.environ["SLUICE_LAKE_BUCKET"], Key="stubborn." + detail)
    time.sleep(float(detail))
if verb == "stream":
    import boto3

    s3, code = boto3.client("s3"), next(word.removeprefix("--code=") for word in arguments if "--code=" in word)
    while True:
        try:
            location = {"Bucket": os.environ["SLUICE_LAKE_BUCKET"], "Key": "_control/" + detail + ".json"}
            desired = json.load(s3.get_object(**location)["Body"])
        except s3.exceptions.NoSuchKey:
            desired = {"wanted": "running", "code": ""}
        if desired["wanted"] != "running" or desired["code"] not in ("", code):
            print("drained")
            sys.exit(0)
        time.sleep(0.2)
if verb == "report":
    code = EXIT_CODES[detail]
    body = {"kind": detail, "error": "PlantedError", "message": "planted " + detail}
    print("SLUICE-ERROR " + json.dumps(body), file=sys.stderr)
    sys.exit(code)
if verb == "exit":
    print("last words", file=sys.stderr)
    sys.exit(int(detail))
"""


@dataclass(frozen=True)
class LocalAws:
    """The running stand-in, and the settings with which the operator reaches it."""

    url: str
    settings: JobSettings

    @property
    def emr(self) -> Any:
        return boto3.client("emr-serverless")

    @property
    def s3(self) -> Any:
        return boto3.client("s3")

    @property
    def application_id(self) -> str:
        return self.settings.application_id

    def runs(self, task_id: str) -> list[dict[str, Any]]:
        """The job runs of a test's task, oldest first."""
        found = self.emr.list_job_runs(applicationId=self.application_id)["jobRuns"]
        mine = [run for run in found if f"/{task_id} " in run["name"]]
        return sorted(mine, key=lambda run: run["createdAt"])

    def job(self, job_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.emr.get_job_run(applicationId=self.application_id, jobRunId=job_id)["jobRun"]
        return run

    def wait_for(self, job_id: str, *states: str, seconds: float = 60) -> str:
        """The state, once it is one of these."""
        give_up = time.monotonic() + seconds
        while (state := str(self.job(job_id)["state"])) not in states:
            assert time.monotonic() < give_up, f"job run {job_id} stayed {state}"
            time.sleep(0.2)
        return state


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The local AWS with an application and two releases of a tiny `run.py`.

    Three jobs run at once, and a time limit's minute is 1 s.
    """
    home = tmp_path_factory.mktemp("platform")
    port = _free_port() - 1
    url = f"http://127.0.0.1:{port + 1}"
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    server_log = home / "server.log"
    with server_log.open("wb") as log, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        server = subprocess.Popen(
            [airflow_home.REPOSITORY / ".venv/jobs/bin/python", "-m", "infra.local.aws.server"],
            cwd=airflow_home.REPOSITORY,
            env={
                **os.environ,
                "SLUICE_HOME": str(home),
                "SLUICE_PORT": str(port),
                "LOCAL_EMR_MAX_CONCURRENT": "3",
                "LOCAL_EMR_MINUTE_SECONDS": "1",
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_until_listening(server, port + 1, server_log)
            yield LocalAws(url, _deploy(home))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


@pytest.fixture
def stream_task(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StreamTask]]:
    """Makes tasks that keep a stream alive; their streams end with the test."""
    from sluice_airflow.stream import drain as stream_drain
    from tests.plugins.sluice_airflow.stream.stream_task import StreamTask

    monkeypatch.setattr(stream_drain, "POLL_SECONDS", 0.2)
    made: list[StreamTask] = []

    def make(task_id: str, **arguments: Any) -> StreamTask:
        made.append(StreamTask(aws, task_id, **arguments))
        return made[-1]

    yield make
    left = [run["id"] for task in made for run in task.runs if run["state"] not in ENDED]
    for run in left:
        aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=run)
    for run in left:
        aws.wait_for(run, *ENDED)


def _deploy(home: Path) -> JobSettings:
    from sluice_airflow.job_settings import JobSettings

    s3 = boto3.client("s3")
    for bucket in ("sluice-code", "sluice-lake", "sluice-logs"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with zipfile.ZipFile(home / "jobs.zip", "w") as package:
        package.writestr("jobs/__init__.py", "")
    program = f"EXIT_CODES = {EXIT_CODES}\n{RUN_PY}"
    for release in ("test", "next"):
        s3.upload_file(str(home / "jobs.zip"), "sluice-code", f"releases/{release}/jobs.zip")
        s3.put_object(Bucket="sluice-code", Key=f"releases/{release}/run.py", Body=program.encode())
    application = boto3.client("emr-serverless").create_application(
        name="sluice", releaseLabel="emr-spark-8.1.0", type="SPARK"
    )
    return JobSettings(
        application_id=application["applicationId"],
        execution_role_arn="arn:aws:iam::123456789012:role/sluice-job",
        release="s3://sluice-code/releases/test",
        log_uri="s3://sluice-logs/",
        lake_bucket="sluice-lake",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"the local AWS does not answer:\n{log.read_text()}")
