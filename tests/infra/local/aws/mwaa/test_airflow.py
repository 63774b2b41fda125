"""A real Airflow in an environment that was made through the API, from the files of a real release."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra import pools
from infra.deploy.airflow import Airflow
from infra.deploy.trial import Trial
from infra.local.addresses import HOST, REGION, REPOSITORY
from infra.local.aws.mwaa.variables import PROCESS_VARIABLE
from infra.local.polling import wait_until
from jobs.alerts.severity import SEVERITIES
from jobs.lake import job_kinds
from tests.infra.local.aws.mwaa import release
from tests.infra.local.aws.stand_in import Server, start_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PORT = 18940
NAME, LAKE, CODE, LOGS = "sluice", "mwaa-lake", "mwaa-code", "mwaa-logs"
ROLE = "arn:aws:iam::123456789012:role/sluice-airflow"
REAL_MINUTES = {"LOCAL_EMR_MINUTE_SECONDS": "60"}  # the canary's job run may take thirty
DAGS = {file.stem for file in (REPOSITORY / "dags").glob("*.py")}
DAG, BY_HAND = "canary", {"canary", "emergency_stop", "restore_table"}


@dataclass
class Made:
    """An environment, and what it was made of."""

    server: Server
    home: Path
    released: dict[str, str]
    settings: dict[str, str]

    @property
    def mwaa(self) -> Any:
        return boto3.client(
            "mwaa",
            endpoint_url=self.server.addresses.aws,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False, read_timeout=90, proxies={}),
        )

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        more = {name: value for name, value in (("Body", body), ("QueryParameters", query)) if value}
        answer = self.mwaa.invoke_rest_api(Name=NAME, Method=method, Path=path, **more)
        found: dict[str, Any] = answer["RestApiResponse"]
        return found

    def ended(self) -> dict[str, Any]:
        return wait_until(self._at_rest, seconds=600, pause=1)

    def _at_rest(self) -> dict[str, Any] | None:
        found: dict[str, Any] = self.mwaa.get_environment(Name=NAME)["Environment"]
        busy = ("CREATING", "UPDATING", "ROLLING_BACK", "MAINTENANCE")
        return None if found["Status"] in busy else found

    def processes(self) -> list[psutil.Process]:
        return [
            each for each in psutil.process_iter() if _variables(each).get("HOME") == str(self.home / "mwaa" / NAME)
        ]


def _variables(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("mwaa")
    server = start_server(home, PORT, **REAL_MINUTES)
    s3, emr = server.client("s3"), server.client("emr-serverless")
    for bucket in (LAKE, CODE, LOGS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=CODE, VersioningConfiguration={"Status": "Enabled"})
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{LAKE}/athena/"}}
    server.client("athena").create_work_group(Name=NAME, Configuration=results)
    topics = [server.client("sns").create_topic(Name=f"sluice-alerts-{name}")["TopicArn"] for name in SEVERITIES]
    application = emr.create_application(name=NAME, releaseLabel="emr-spark-8.1.0", type="SPARK")["applicationId"]
    settings = {
        "SLUICE_PROJECT": NAME,
        "SLUICE_LAKE_BUCKET": LAKE,
        "SLUICE_CODE_BUCKET": CODE,
        "SLUICE_LOGS_BUCKET": LOGS,
        "SLUICE_EMR_APPLICATION_ID": application,
        "SLUICE_EMR_ARCHITECTURE": "ARM64",
        "SLUICE_EMR_ROLE_ARN": f"arn:aws:iam::123456789012:role/sluice-job-{job_kinds.KIND}",
        "SLUICE_WORKER_WAIT_SECONDS": "0",
        "SLUICE_SCHEDULE_START": f"{datetime.now(UTC):%Y-%m-%d}",
        "SLUICE_MWAA_ENVIRONMENT": NAME,
        "SLUICE_ALERT_TOPICS": topics[0].rpartition("-")[0],
    }
    released = release.upload(s3, CODE)
    prefix = f"releases/{released['name']}"
    script = s3.put_object(Bucket=CODE, Key="airflow/startup.sh", Body=release.startup(settings))
    found = Made(server, home, released, settings)
    found.mwaa.create_environment(
        Name=NAME,
        ExecutionRoleArn=ROLE,
        SourceBucketArn=f"arn:aws:s3:::{CODE}",
        DagS3Path=f"{prefix}/dags",
        PluginsS3Path=f"{prefix}/plugins.zip",
        PluginsS3ObjectVersion=released["plugins_version"],
        RequirementsS3Path=f"{prefix}/requirements.txt",
        RequirementsS3ObjectVersion=released["requirements_version"],
        StartupScriptS3Path="airflow/startup.sh",
        StartupScriptS3ObjectVersion=script["VersionId"],
        NetworkConfiguration={"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
        AirflowConfigurationOptions={
            "core.lazy_load_plugins": "False",
            "core.dags_are_paused_at_creation": "True",
            "core.max_templated_field_length": "16384",
        },
    )
    try:
        yield found
    finally:
        found.server.end()


def test_release_runs_under_nothing_but_what_the_startup_script_exports(made: Made) -> None:
    environment = made.ended()
    assert environment["Status"] == "AVAILABLE", environment["LastUpdate"]
    found = _waited(lambda: made.ask("GET", "/dags", limit=100)["dags"], len(DAGS))
    assert {dag["dag_id"] for dag in found} == DAGS
    assert {dag["dag_id"] for dag in found if not dag["is_paused"]} == BY_HAND
    assert made.ask("GET", "/importErrors") == {"import_errors": [], "total_entries": 0}
    assert made.ask("GET", "/plugins/importErrors") == {"import_errors": [], "total_entries": 0}

    processes = made.processes()
    names = {_variables(each).get(PROCESS_VARIABLE) for each in processes}
    assert names == {f"{NAME}/{each}" for each in ("api-server", "scheduler", "triggerer", "dag-processor")}
    for process in processes:
        given = {name: value for name, value in _variables(process).items() if name.startswith("SLUICE_")}
        assert given == made.settings
        listening = [each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        assert set(listening) <= {HOST}


def test_deployment_s_trial_is_green_and_its_job_run_is_of_the_release(made: Made) -> None:
    """The trial waits for the release, and starts a run of the canary: a job run, and its row through Athena."""
    assert made.ended()["Status"] == "AVAILABLE"
    assert pools.set_on_mwaa(NAME, made.mwaa)
    trial = Trial(Airflow(made.mwaa, NAME), made.server.client("athena"), NAME, print)

    trial.await_release(made.released["name"], sorted(DAGS))
    trial.run_canary(made.released["name"])

    emr, application = made.server.client("emr-serverless"), made.settings["SLUICE_EMR_APPLICATION_ID"]
    (summary,) = emr.list_job_runs(applicationId=application)["jobRuns"]
    job = emr.get_job_run(applicationId=application, jobRunId=summary["id"])["jobRun"]
    role = job_kinds.role(made.settings["SLUICE_EMR_ROLE_ARN"], DAG)
    assert (job["state"], job["executionRole"]) == ("SUCCESS", role)
    entry_point = job["jobDriver"]["sparkSubmit"]["entryPoint"]
    assert entry_point == f"s3://{CODE}/releases/{made.released['name']}/run.py"


def test_update_whose_requirements_are_not_met_leaves_the_release_running(made: Made) -> None:
    s3, before = made.server.client("s3"), made.ended()
    version = s3.put_object(Bucket=CODE, Key=before["RequirementsS3Path"], Body=b"--no-index\nnot-there==1.0\n")
    made.mwaa.update_environment(Name=NAME, RequirementsS3ObjectVersion=version["VersionId"])
    after = made.ended()
    assert after["Status"] == "UPDATE_FAILED"
    assert "not-there was not found" in after["LastUpdate"]["Error"]["ErrorMessage"]
    assert after["RequirementsS3ObjectVersion"] == before["RequirementsS3ObjectVersion"]
    assert made.ask("GET", f"/dags/{DAG}")["dag_id"] == DAG


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_next_server_starts_the_environment_again(made: Made, number: int) -> None:
    before = made.processes()
    assert before
    made.server.end(number)
    if number == signal.SIGTERM:
        assert not made.processes(), "the server's stop leaves processes"

    made.server = start_server(made.home, PORT, **REAL_MINUTES)

    assert made.ended()["Status"] == "UPDATE_FAILED", "it is not as it was"
    assert not {process.pid for process in before} & {process.pid for process in made.processes()}
    assert made.ask("GET", f"/dags/{DAG}/dagRuns")["dag_runs"][0]["state"] == "success", "its database is gone"


def test_deleted_environment_leaves_no_process_and_no_folder(made: Made) -> None:
    made.mwaa.delete_environment(Name=NAME)

    def gone() -> bool:
        try:
            made.mwaa.get_environment(Name=NAME)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
        return False

    wait_until(gone, seconds=60, pause=0.5)
    assert not made.processes()
    assert not (made.home / "mwaa" / NAME).exists()


def _waited(look: Callable[[], list[Any]], count: int) -> list[Any]:
    """What is there once there is so much of it; Airflow parses a DAG file after the other."""
    wait_until(lambda: len(look()) >= count, seconds=180, pause=1)
    return look()
