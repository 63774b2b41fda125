"""A release is switched to, tried, and kept; one that does not work gives way to the one before, by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.deploy import __main__ as command
from infra.deploy import deployment as deploying
from infra.deploy import release_in_s3, trial
from infra.deploy.deployment import Deployment
from infra.deploy.errors import DeployError
from infra.package.release import SUMS
from infra.provision import settings
from infra.provision.errors import ProvisionError
from infra.provision.terraform import RELEASE, Workspace
from tests.infra.deploy.airflow_of_stubs import StubAthena, StubMwaa

OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


class Scene:
    """An environment whose Terraform only notes what it is asked; MWAA then has the release at once."""

    def __init__(self, tmp_path: Path, bucket: str) -> None:
        self.bucket, self.s3 = bucket, boto3.client("s3")
        self.mwaa = StubMwaa(release="")
        self.broken: dict[str, dict[str, Any]] = {}  # release -> what Airflow then answers
        self.applied: list[tuple[str, tuple[str, ...]]] = []
        self.said: list[str] = []
        clients = {"s3": self.s3, "mwaa": self.mwaa, "athena": StubAthena(self.mwaa)}
        self.deployment = Deployment(
            settings.read("dev"), Workspace(tmp_path), clients.__getitem__, self.said.append, ["create_budget=false"]
        )
        self.settings = {
            "SLUICE_CODE_BUCKET": bucket, "SLUICE_PROJECT": "sluice", "SLUICE_MWAA_ENVIRONMENT": "sluice",
            "SLUICE_SCHEDULE_START": "2026-11-29",
        }  # fmt: skip

    def upload(self, name: str) -> None:
        files = ["plugins.zip", "requirements.txt", "startup.sh", "dags/dags/canary.py", "dags/dags/daily_lakehouse.py"]
        for file in [*files, "dags/jobs/run.py", SUMS]:
            self.s3.put_object(Bucket=self.bucket, Key=f"releases/{name}/{file}", Body=f"{file} of {name}".encode())

    def change(self, workspace: Workspace, action: str, _: settings.Environment, given: Sequence[str]) -> int:
        release = json.loads((workspace.folder / RELEASE).read_text())["release"]["name"]
        if action == "plan":
            return 2
        self.applied.append((release, tuple(given)))
        fresh = StubMwaa(release=release, asked=self.mwaa.asked)
        self.mwaa.__dict__.update({**fresh.__dict__, **self.broken.get(release, {})})
        return 0

    @property
    def tried(self) -> list[str]:
        return release_in_s3.tried(self.s3, self.bucket)


@pytest.fixture
def scene(tmp_path: Path, lake: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(tmp_path, lake)
    monkeypatch.setattr(deploying, "change", made.change)
    monkeypatch.setattr(Deployment, "_say_what_runs_are_missing", lambda *_: None)
    for limit in ("SEEN_WITHIN", "RUN_WITHIN", "READ_WITHIN"):
        monkeypatch.setattr(trial, limit, 0.05)
    monkeypatch.setattr(trial, "PAUSE", 0.001)
    for name in (OLD, NEW):
        made.upload(name)
    return made


def test_release_that_works_is_kept_as_the_one_to_go_back_to(scene: Scene) -> None:
    scene.deployment.bring(OLD, scene.settings)
    scene.deployment.bring(NEW, scene.settings)
    assert scene.applied == [(OLD, ("create_budget=false",)), (NEW, ("create_budget=false",))]
    assert scene.tried == [OLD, NEW]
    assert scene.mwaa.asked.count("PATCH /pools") == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"import_errors": ["NameError: in a DAG"]},
        {"plugin_errors": ["NameError: in a plugin"]},
        {"states": ["failed"], "log": ["NameError: in a job"]},
    ],
    ids=["dag", "plugin", "job"],
)
def test_release_with_a_bug_gives_way_by_itself(scene: Scene, broken: dict[str, Any]) -> None:
    scene.deployment.bring(OLD, scene.settings)
    scene.broken[NEW] = broken
    with pytest.raises(DeployError, match=rf"{NEW} does not work, and {OLD} runs again: .*NameError: in a"):
        scene.deployment.bring(NEW, scene.settings)
    assert [name for name, _ in scene.applied] == [OLD, NEW, OLD]
    assert scene.mwaa.run_id.startswith(f"{OLD[:6]}-"), "the way back was not tried"
    assert scene.tried == [OLD]


def test_failed_apply_goes_back_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.deployment.bring(OLD, scene.settings)

    def failing(workspace: Workspace, action: str, *more: Any) -> int:
        if NEW in (workspace.folder / RELEASE).read_text():
            raise ProvisionError("`terraform apply` ended with exit code 1")
        return scene.change(workspace, action, *more)

    monkeypatch.setattr(deploying, "change", failing)
    with pytest.raises(DeployError, match=f"{OLD} runs again: `terraform apply` ended"):
        scene.deployment.bring(NEW, scene.settings)


def test_first_release_that_fails_has_nothing_to_go_back_to(scene: Scene) -> None:
    scene.broken[NEW] = {"states": ["failed"]}
    with pytest.raises(DeployError, match="no other to go back to"):
        scene.deployment.bring(NEW, scene.settings)
    assert scene.tried == []


def test_way_back_that_fails_says_what_to_do(scene: Scene) -> None:
    scene.deployment.bring(OLD, scene.settings)
    scene.broken |= {NEW: {"states": ["failed"]}, OLD: {"import_errors": ["OSError: full"]}}
    with pytest.raises(DeployError, match=f"nor does the way back to {OLD}: .*make rollback ENV=dev TO={OLD}"):
        scene.deployment.bring(NEW, scene.settings)


@pytest.mark.parametrize("missing", ["unknown00000", NEW])
def test_release_that_is_not_whole_is_refused_before_anything_changes(scene: Scene, missing: str) -> None:
    scene.deployment.bring(OLD, scene.settings)
    scene.s3.delete_object(Bucket=scene.bucket, Key=f"releases/{NEW}/{SUMS}")
    with pytest.raises(DeployError, match=rf"{missing}/ is no whole release\. Releases that worked here: {OLD}"):
        scene.deployment.bring(missing, scene.settings)
    assert [name for name, _ in scene.applied] == [OLD]


def test_variables_are_those_of_the_release(scene: Scene) -> None:
    scene.s3.put_bucket_versioning(Bucket=scene.bucket, VersioningConfiguration={"Status": "Enabled"})
    scene.upload(NEW)
    found = release_in_s3.find(scene.s3, scene.bucket, NEW).variables()["release"]
    head = scene.s3.head_object(Bucket=scene.bucket, Key=f"releases/{NEW}/plugins.zip")
    assert found["plugins_version"] == head["VersionId"]
    assert found["startup"] == f"startup.sh of {NEW}"
    assert set(found) == {"name", "plugins_version", "requirements_version", "startup"}


def test_new_environment_gets_everything_but_airflow_first(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    built = Path("releases", NEW)
    told = iter([{}, scene.settings])
    monkeypatch.setattr(Deployment, "settings", lambda _: next(told))
    monkeypatch.setattr(command.release, "build", lambda: built)
    uploaded: list[str] = []
    monkeypatch.setattr(command.upload, "whole", uploaded.append)
    command.deploy(scene.deployment)
    assert scene.applied == [
        (NEW, ("create_budget=false", "create_mwaa=false")),
        (NEW, ("create_budget=false",)),
    ]
    assert uploaded == [scene.bucket]
    assert scene.said[-1] == f"dev runs release {NEW}"


def test_rollback_of_nothing_and_odd_commands_are_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Deployment, "settings", lambda _: {})
    with pytest.raises(ProvisionError, match="nothing is deployed to dev"):
        command.roll_back(scene.deployment, OLD)
    assert [command.main([]), command.main(["deploy", "moon"]), command.main(["destroy", "dev"])] == [1, 1, 1]
    assert "no environment 'moon'" in capsys.readouterr().err


def test_refusal_of_aws_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Deployment) -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "the token has expired"}}, "HeadObject")

    monkeypatch.setattr(command, "deploy", refuse)
    assert command.main(["deploy", "dev"]) == 1
    assert "safe to run it again" in (said := capsys.readouterr().err)
    assert "ExpiredToken" in said


def test_runs_since_the_start_are_counted_by_airflow(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    scene.deployment._say_what_runs_are_missing("2026-01-01")
    assert "makes up for" in scene.said[0]
    with pytest.raises(DeployError, match="can't be counted: ValueError"):
        scene.deployment._say_what_runs_are_missing("one day")
