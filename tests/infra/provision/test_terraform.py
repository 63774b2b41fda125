"""Terraform itself: quick here what it says of the files; slow its own tests, and an apply against the local AWS."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra import pools
from infra.deploy.airflow import Airflow
from infra.deploy.trial import Trial
from infra.local.aws.access import caller, policies
from infra.local.polling import wait_until
from infra.policies import granted, recorded
from infra.provision import __main__ as provision
from infra.provision import application, settings, state
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
GITHUB = ("github_repository=your-company/sluice",)
WHOLE = (*GITHUB, *LEFT_OUT)
FIRST = ("create_mwaa=false", *LEFT_OUT)  # the release is uploaded after the first apply, into the bucket that it makes
NAME = "0123456789ab"
PERSON, DEPLOYER, PLANNER, PEOPLE = "test", "github-sluice-deploy", "github-sluice-plan", "sluice-query"
# What a deployment may take away again. The rest GitHub's roles or the lake's data need: an administrator destroys it.
TAKEN_AWAY = ("observability", "job_roles", "emr_serverless", "alerts", "network", "secrets", "audit")


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
    # GitHub's roles have policies of AWS's own.
    server = start_server(home, PORT, LOCAL_EMR_MINUTE_SECONDS="60", MOTO_IAM_LOAD_MANAGED_POLICIES="true")
    for name, value in for_terraform(server.addresses).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", settings.read("dev").region)
    yield server
    server.end()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_dev_is_made_whole_planned_empty_and_destroyed_clean(
    aws: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, workspace = settings.read("dev"), Workspace(tmp_path / "dev")
    workspace.folder.mkdir()
    (workspace.folder / RELEASE).write_text(
        json.dumps({"release": {"name": NAME, "startup": "#!/bin/sh\n@SETTINGS@\necho started"}})
    )
    s3, emr = (_client(aws, service, environment.region) for service in ("s3", "emr-serverless"))
    state.make(s3, environment)

    def run(action: str, given: tuple[str, ...] = WHOLE) -> int:
        return provision.change(workspace, action, environment, given)

    # The role that deploys makes all, under its policy, but for the roles of GitHub's jobs: an administrator does.
    allowed = granted.of_deployment(environment)
    allowed[PLANNER] = granted.together(allowed[PLANNER], granted.reading_lists())
    _enforce(aws, allowed)
    _call_as(monkeypatch, DEPLOYER)
    assert run("plan", FIRST) == 2
    assert run("apply", FIRST) == 0
    _call_as(monkeypatch, PERSON)
    assert run("plan", FIRST + GITHUB) == 2
    assert run("apply") == 0
    _call_as(monkeypatch, DEPLOYER)
    assert run("plan", FIRST + GITHUB) == 0, "a second plan has something to change"
    outputs = _outputs(workspace)
    _settings_are_real(aws, outputs, environment.region)

    uploaded = release.upload(boto3.client("s3"), outputs["settings"]["SLUICE_CODE_BUCKET"])
    (workspace.folder / RELEASE).write_text(json.dumps({"release": uploaded}))
    _enforce(aws, {**allowed, **_of_airflow(outputs)})
    assert run("plan") == 2
    assert run("apply") == 0
    assert run("plan") == 0, "a second plan has something to change"
    _call_as(monkeypatch, PLANNER)  # which shows a pull request what it would change
    assert run("plan") == 0, "a plan by another role has something to change"
    _call_as(monkeypatch, DEPLOYER)
    _release_works(aws, outputs["settings"], uploaded["name"], environment.region)
    _people_ask(aws, outputs["athena_workgroup"], environment.region)
    options = ("-input=false", "-auto-approve", *workspace.variables(environment, *WHOLE))
    workspace.must("destroy", "-target=module.mwaa", *options)  # it would start job runs again
    application.stop(emr, outputs["settings"]["SLUICE_EMR_APPLICATION_ID"])
    workspace.must("destroy", *(f"-target=module.{module}" for module in TAKEN_AWAY), *options)
    _uses_are_as_recorded(aws)
    with pytest.raises(ClientError, match="not authorized to perform: athena:DeleteWorkGroup"):
        _client(aws, "athena", environment.region, key=PEOPLE).delete_work_group(WorkGroup="sluice")
    _call_as(monkeypatch, PERSON)
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
        assert provision.change(workspace, "plan", environment, GITHUB) == 2


def _client(aws: Server, service: str, region: str, key: str = PERSON) -> Any:
    config = Config(inject_host_prefix=False, proxies={})
    keys = {"aws_access_key_id": key, "aws_secret_access_key": key}
    return boto3.client(service, region_name=region, endpoint_url=aws.addresses.aws, config=config, **keys)


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
    for name in ("SLUICE_LAKE_BUCKET", "SLUICE_CODE_BUCKET", "SLUICE_LOGS_BUCKET"):
        s3.head_bucket(Bucket=found[name])
    assert found["SLUICE_EMR_ARCHITECTURE"] == made["architecture"]

    script = s3.get_object(Bucket=found["SLUICE_CODE_BUCKET"], Key="airflow/startup.sh")["Body"].read().decode()
    told = subprocess.run(
        ["sh", "-c", f"{script}\nenv -0"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True
    ).stdout
    exported = dict(line.split("=", 1) for line in told.removeprefix("started\n").split("\0") if "=" in line)
    assert {name: exported[name] for name in found} == found


def _call_as(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    for name, value in caller.credentials(role).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it has the keys of who called first


def _enforce(aws: Server, allowed: Mapping[str, Any]) -> None:
    """From now on these roles may do what their policies say. Flow tests hold job runs to theirs."""
    policies.file(aws.addresses.home).write_text(json.dumps(allowed))


def _of_airflow(outputs: dict[str, Any]) -> dict[str, Any]:
    found = [json.loads(text) for name, text in outputs["policies"].items() if name.startswith("airflow-")]
    assert len(found) == 2
    return {"sluice-airflow": {"Statement": [statement for document in found for statement in document["Statement"]]}}


def _people_ask(aws: Server, workgroup: str, region: str) -> None:
    """Who has the policy of people asks through the workgroup, and finds the runbook's queries."""
    athena = _client(aws, "athena", region, key=PEOPLE)
    assert athena.get_work_group(WorkGroup=workgroup)["WorkGroup"]["Name"] == workgroup
    named = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    assert "SELECT" in athena.get_named_query(NamedQueryId=named[0])["NamedQuery"]["QueryString"]

    def start() -> str:
        asked = {"QueryString": "SELECT count(*) FROM ops.canary", "WorkGroup": workgroup}
        return str(athena.start_query_execution(**asked)["QueryExecutionId"])

    def state(query: str) -> str:
        return str(athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"])

    query = start()
    wait_until(lambda: state(query) == "SUCCEEDED", seconds=60)
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    assert rows[1]["Data"][0]["VarCharValue"] == "1"
    athena.stop_query_execution(QueryExecutionId=start())


def _uses_are_as_recorded(aws: Server) -> None:
    """What the deploying role did is what its policy is compared with; `SLUICE_RECORD=1` records it anew."""
    used = recorded.of_deployment(aws.addresses)
    if os.environ.get("SLUICE_RECORD") == "1":
        recorded.write(used, recorded.DEPLOYMENT)
    assert used == recorded.read(recorded.DEPLOYMENT), "record it: see `_uses_are_as_recorded`"


def _release_works(aws: Server, found: dict[str, str], name: str, region: str) -> None:
    """MWAA, as Terraform has made it, runs the release, and a deployment's trial of it is green."""
    config = Config(inject_host_prefix=False, proxies={})
    mwaa = boto3.client("mwaa", endpoint_url=aws.addresses.aws, config=config)  # as the role that deploys
    environment = found["SLUICE_MWAA_ENVIRONMENT"]
    made = mwaa.get_environment(Name=environment)["Environment"]
    assert (made["Status"], made["DagS3Path"]) == ("AVAILABLE", f"releases/{name}/dags")
    assert pools.set_on_mwaa(environment, mwaa)
    trial = Trial(Airflow(mwaa, environment), boto3.client("athena"), found["SLUICE_PROJECT"], print)
    trial.await_release(name, [file.stem for file in (TERRAFORM.parents[1] / "dags").glob("*.py")])
    trial.run_canary(name)
