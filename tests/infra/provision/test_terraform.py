"""Terraform itself: quick here what it says of the files; slow its own tests, and an apply against the local AWS."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra import pools
from infra.deploy.airflow import Airflow
from infra.deploy.trial import Trial
from infra.local.aws.access import policies
from infra.provision import __main__ as provision
from infra.provision import settings, state
from infra.provision.errors import ProvisionError
from infra.provision.registry import facts
from infra.provision.settings import TERRAFORM
from infra.provision.terraform import MISSING, RELEASE, Workspace, executable
from jobs.lake import job_kinds
from tests.infra.local.aws.mwaa import release
from tests.infra.local.aws.stand_in import Server, for_terraform, start_server

WITHOUT = "SLUICE_WITHOUT_TERRAFORM"
PORT = 18640
LEFT_OUT = ("create_budget=false",)  # the stand-in has none
FIRST = ("create_mwaa=false", *LEFT_OUT)  # the release is uploaded after the first apply, into the bucket that it makes
NAME = "0123456789ab"


@pytest.fixture(autouse=True)
def _terraform() -> None:
    """A machine without Terraform fails here. Who has none on purpose says so, and sees what was left out."""
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{WITHOUT} is 1: nobody has looked at infra/terraform")
    try:
        executable()
    except ProvisionError as error:
        pytest.fail(f"{error}. Or set {WITHOUT}=1, and leave infra/terraform to a machine that has it.")


def test_missing_terraform_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProvisionError, match=r"Install Terraform 1\.11"):
        executable()
    assert provision.main(["check"]) == 1
    assert "not on the PATH" in MISSING


def test_files_are_formatted_and_valid(tmp_path: Path) -> None:
    Workspace(tmp_path).look()


def test_file_that_is_not_formatted_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.tf").write_text('locals {\n a="b"\n}\n')
    with pytest.raises(ProvisionError, match="`terraform fmt` ended"):
        Workspace(tmp_path).must("fmt", "-check", str(tmp_path))


def test_plan_without_a_release_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="make package"):
        Workspace(tmp_path).variables(settings.read("dev"))


def test_plan_is_given_the_registry_of_the_code(tmp_path: Path) -> None:
    (tmp_path / RELEASE).write_text("{}")
    options = Workspace(tmp_path).variables(settings.read("dev"), "create_mwaa=false")
    assert options[-1] == "-var=create_mwaa=false"
    assert json.loads((tmp_path / "registry.tfvars.json").read_text()) == {"registry": facts()}


@pytest.mark.slow
def test_modules_keep_their_promises(tmp_path: Path) -> None:
    Workspace(tmp_path).check()


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The local AWS, and the environment in which Terraform finds it."""
    home = tmp_path / "aws"
    home.mkdir()
    server = start_server(home, PORT, LOCAL_EMR_MINUTE_SECONDS="60")
    for name, value in for_terraform(server.addresses).items():
        monkeypatch.setenv(name, value)
    yield server
    server.end()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_dev_is_made_whole_planned_empty_and_destroyed_clean(aws: Server, tmp_path: Path) -> None:
    environment, workspace = settings.read("dev"), Workspace(tmp_path / "dev")
    workspace.folder.mkdir()
    (workspace.folder / RELEASE).write_text(
        json.dumps({"release": {"name": NAME, "startup": "#!/bin/sh\n@SETTINGS@\necho started"}})
    )
    s3 = _client(aws, "s3", environment.region)
    state.make(s3, environment)

    def run(action: str, given: tuple[str, ...] = LEFT_OUT) -> int:
        return provision.change(workspace, action, environment, given)

    assert run("plan", FIRST) == 2
    assert run("apply", FIRST) == 0
    assert run("plan", FIRST) == 0, "a second plan has something to change"
    outputs = _outputs(workspace)
    _settings_are_real(aws, outputs, environment.region)

    uploaded = release.upload(s3, outputs["settings"]["SLUICE_CODE_BUCKET"])
    (workspace.folder / RELEASE).write_text(json.dumps({"release": uploaded}))
    _enforce(aws, outputs)
    assert run("plan") == 2
    assert run("apply") == 0
    assert run("plan") == 0, "a second plan has something to change"
    _release_works(aws, outputs["settings"], uploaded["name"], environment.region)
    assert run(provision.DESTROY_DATA) == 0
    assert _client(aws, "mwaa", environment.region).list_environments()["Environments"] == []
    left = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert left == [environment.state_bucket]
    kept = s3.list_objects_v2(Bucket=environment.state_bucket)["Contents"]
    assert [entry["Key"] for entry in kept] == [environment.state_key], "a lock was left behind"


@pytest.mark.slow
def test_staging_and_prod_can_be_planned_whole(aws: Server, tmp_path: Path) -> None:
    for name in ("staging", "prod"):
        environment, workspace = settings.read(name), Workspace(tmp_path / name)
        workspace.folder.mkdir()
        (workspace.folder / RELEASE).write_text(json.dumps({"release": {"name": NAME}}))
        state.make(_client(aws, "s3", environment.region), environment)
        # All options, as on AWS: a plan makes nothing.
        assert provision.change(workspace, "plan", environment, ["github_repository=your-company/sluice"]) == 2


def _client(aws: Server, service: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(inject_host_prefix=False, proxies={})
    return boto3.client(service, region_name=region, endpoint_url=aws.addresses.aws, config=config)


def _outputs(workspace: Workspace) -> dict[str, Any]:
    shown = subprocess.run(
        [executable(), f"-chdir={TERRAFORM}", "output", "-json"],
        env={**os.environ, "TF_DATA_DIR": str(workspace.folder / "data")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name: found["value"] for name, found in json.loads(shown.stdout).items()}


def _settings_are_real(aws: Server, outputs: dict[str, Any], region: str) -> None:
    """Every id in the settings is one that AWS knows, and the start-up script exports all of them."""
    found = outputs["settings"]
    s3, sns = _client(aws, "s3", region), _client(aws, "sns", region)
    emr, iam = _client(aws, "emr-serverless", region), _client(aws, "iam", region)
    made = emr.get_application(applicationId=found["SLUICE_EMR_APPLICATION_ID"])["application"]
    assert (made["releaseLabel"], made["architecture"]) == ("emr-spark-8.1.0", "ARM64")
    for kind in job_kinds.KINDS:
        arn = found["SLUICE_EMR_ROLE_ARN"].replace(job_kinds.KIND, kind)
        assert iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]["Arn"] == arn
    topics = {topic["TopicArn"] for topic in sns.list_topics()["Topics"]}
    assert topics == {f"{found['SLUICE_ALERT_TOPICS']}-{name}" for name in ("critical", "high", "medium", "low")}
    for name in ("SLUICE_LAKE_BUCKET", "SLUICE_CODE_BUCKET"):
        s3.head_bucket(Bucket=found[name])
    assert found["SLUICE_EMR_ARCHITECTURE"] == made["architecture"]

    script = s3.get_object(Bucket=found["SLUICE_CODE_BUCKET"], Key="airflow/startup.sh")["Body"].read().decode()
    told = subprocess.run(
        ["sh", "-c", f"{script}\nenv -0"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True
    ).stdout
    exported = dict(line.split("=", 1) for line in told.removeprefix("started\n").split("\0") if "=" in line)
    assert {name: exported[name] for name in found} == found


def _enforce(aws: Server, outputs: dict[str, Any]) -> None:
    """From now on MWAA and its DAGs may do what Terraform's policies say. Flow tests hold job runs to theirs."""
    found = [json.loads(text) for name, text in outputs["policies"].items() if name.startswith("airflow-")]
    statements = [statement for document in found for statement in document["Statement"]]
    assert len(found) == 2
    policies.file(aws.addresses.home).write_text(json.dumps({"sluice-airflow": {"Statement": statements}}))


def _release_works(aws: Server, found: dict[str, str], name: str, region: str) -> None:
    """MWAA, as Terraform has made it, runs the release, and a deployment's trial of it is green."""
    mwaa, environment = _client(aws, "mwaa", region), found["SLUICE_MWAA_ENVIRONMENT"]
    made = mwaa.get_environment(Name=environment)["Environment"]
    assert (made["Status"], made["DagS3Path"]) == ("AVAILABLE", f"releases/{name}/dags")
    assert pools.set_on_mwaa(environment, mwaa)
    trial = Trial(Airflow(mwaa, environment), _client(aws, "athena", region), found["SLUICE_PROJECT"], print)
    trial.await_release(name, [file.stem for file in (TERRAFORM.parents[1] / "dags").glob("*.py")])
    trial.run_canary(name)
