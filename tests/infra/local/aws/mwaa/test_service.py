"""Life cycles of environments, through the real client, with something smaller than Airflow in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.local.polling import wait_until
from tests.infra.local.aws.mwaa.conftest import BROKEN, BUCKET, PLAIN, ROLE, Service, Stub, serve


def only(service: Service, name: str) -> Stub:
    (stub,) = [each for each in service.running if each.plan.name == name]
    return stub


def test_environment_gets_the_versions_that_it_asks_for_and_says_what_it_runs(service: Service) -> None:
    service.put("releases/one/dags/dags/daily.py", "dag")
    service.put("releases/one/dags/release.txt", "one")
    service.put("releases/oneself/dags/no.py", "another prefix")
    first = service.put_plugins("FIRST = 1")
    service.put_plugins("SECOND = 2")
    script = service.put("airflow/startup.sh", "export A=1")

    made = service.create(
        "versions",
        PluginsS3Path="airflow/plugins.zip",
        PluginsS3ObjectVersion=first,
        StartupScriptS3Path="airflow/startup.sh",
        AirflowConfigurationOptions={"core.lazy_load_plugins": "False"},
        LoggingConfiguration={"TaskLogs": {"Enabled": True, "LogLevel": "INFO"}},
        Tags={"team": "data"},
    )

    stub = only(service, "versions")
    assert stub.read("plugins/package/plugin.py") == "FIRST = 1"
    assert stub.dags() == {"dags/daily.py", "release.txt"}
    assert stub.read("startup.sh") == "export A=1"
    assert stub.plan.options == {"core.lazy_load_plugins": "False"}
    assert stub.plan.role == ROLE
    assert (made["Status"], made["LastUpdate"]["Status"]) == ("AVAILABLE", "SUCCESS")
    assert (made["PluginsS3ObjectVersion"], made["StartupScriptS3ObjectVersion"]) == (first, script)
    assert (made["AirflowVersion"], made["Schedulers"], made["MaxWorkers"]) == ("3.2.1", 2, 10)
    assert made["Arn"] == "arn:aws:airflow:eu-west-1:123456789012:environment/versions"
    assert made["LoggingConfiguration"]["TaskLogs"] == {
        "Enabled": True,
        "LogLevel": "INFO",
        "CloudWatchLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:airflow-versions-Task",
    }
    assert made["Tags"] == {"team": "data"}
    assert made["WebserverUrl"] == f"http://127.0.0.1:{stub.plan.port}"
    assert made["CreatedAt"].year >= 2026


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"PluginsS3Path": "airflow/missing.zip"}, "s3://mwaa-source/airflow/missing.zip can't be read"),
        ({"PluginsS3Path": "airflow/plugins.zip", "PluginsS3ObjectVersion": "no-such"}, "in version no-such can't be"),
        ({"PluginsS3Path": "airflow/text"}, "plugins.zip is no zip archive"),
        ({"SourceBucketArn": "arn:aws:s3:::mwaa-missing"}, "The source bucket mwaa-missing can't be read"),
        ({"SourceBucketArn": f"arn:aws:s3:::{PLAIN}"}, f"{PLAIN} must have versioning enabled"),
    ],
)  # fmt: skip
def test_environment_that_can_t_be_made_says_why_and_can_only_be_deleted(
    asked: dict[str, str], reason: str, service: Service
) -> None:
    service.put_plugins("")
    service.put("airflow/text", "no zip")
    made = service.create("broken", **asked)
    assert (made["Status"], made["LastUpdate"]["Status"]) == ("CREATE_FAILED", "FAILED")
    assert made["LastUpdate"]["Error"]["ErrorCode"] == "INCORRECT_CONFIGURATION"
    assert reason in made["LastUpdate"]["Error"]["ErrorMessage"]
    with pytest.raises(ClientError, match="Environments with CREATE_FAILED status can't be updated"):
        service.mwaa.update_environment(Name="broken", DagS3Path="elsewhere")
    delete(service, "broken")


def delete(service: Service, name: str) -> None:
    service.mwaa.delete_environment(Name=name)
    wait_until(lambda: name not in service.mwaa.list_environments()["Environments"], seconds=10, pause=0.02)
    with pytest.raises(ClientError) as gone:
        service.get(name)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_update_changes_what_it_names_and_keeps_the_rest(service: Service) -> None:
    old = service.put_plugins("OLD = 1")
    service.put("releases/two/dags/dags/other.py", "dag")
    service.create("updated", PluginsS3Path="airflow/plugins.zip", AirflowConfigurationOptions={"core.a": "1"})
    before = only(service, "updated")
    service.put_plugins("NEW = 1")

    service.mwaa.update_environment(Name="updated", DagS3Path="releases/two/dags/")
    made, after = service.ended("updated"), only(service, "updated")

    assert made["Status"] == "AVAILABLE"
    assert after is not before
    assert after.dags() == {"dags/other.py"}
    assert after.read("plugins/package/plugin.py") == "OLD = 1", "a plugin changes with its version alone"
    assert made["PluginsS3ObjectVersion"] == old
    assert after.plan.options == {"core.a": "1"}
    assert not before.plan.files.exists()


@pytest.mark.parametrize(
    ("number", "fails", "reason"),
    [
        (1, "in the bucket", "can't be read"),
        (2, "beside Airflow", "requirements.txt is not satisfied"),
        (3, "when Airflow starts", "scheduler ended"),
    ],
)
def test_update_that_fails_leaves_the_environment_on_what_ran_before(
    number: int, fails: str, reason: str, service: Service
) -> None:
    name = f"kept-{number}"
    good = service.put_plugins("GOOD = 1")
    service.put("airflow/requirements.txt", "missing==1.0")
    service.create(name, PluginsS3Path="airflow/plugins.zip", PluginsS3ObjectVersion=good)
    before = only(service, name)
    asked = {
        "in the bucket": {"PluginsS3ObjectVersion": "no-such-version"},
        "beside Airflow": {"RequirementsS3Path": "airflow/requirements.txt"},
        "when Airflow starts": {"PluginsS3ObjectVersion": service.put_plugins(BROKEN)},
    }[fails]

    service.mwaa.update_environment(Name=name, DagS3Path="releases/two/dags", **asked)
    made = service.ended(name)

    assert (made["Status"], made["LastUpdate"]["Status"]) == ("UPDATE_FAILED", "FAILED")
    assert reason in made["LastUpdate"]["Error"]["ErrorMessage"]
    assert (made["PluginsS3ObjectVersion"], made["DagS3Path"]) == (good, "releases/one/dags")
    assert "RequirementsS3Path" not in made
    after = only(service, name)
    assert (after is before) == (number < 3), "Airflow is not stopped before it must"
    assert after.read("plugins/package/plugin.py") == "GOOD = 1"
    assert service.mwaa.invoke_rest_api(Name=name, Path="/version", Method="GET")["RestApiStatusCode"] == 200

    service.mwaa.update_environment(Name=name, DagS3Path="releases/two/dags")
    assert service.ended(name)["Status"] == "AVAILABLE", "it is ready for the next update"


def test_half_an_update_of_an_earlier_server_is_not_in_the_way(service: Service) -> None:
    service.create("half-done")
    left = only(service, "half-done").plan.home / "files" / "2" / "dags" / "left.py"
    left.parent.mkdir(parents=True)
    left.touch()
    service.mwaa.update_environment(Name="half-done", DagS3Path="releases/two/dags")
    assert service.ended("half-done")["Status"] == "AVAILABLE"
    assert "left.py" not in only(service, "half-done").dags()


def test_dag_folder_follows_its_prefix(service: Service) -> None:
    service.put("moving/kept.py", "1")
    service.put("moving/changed.py", "1")
    service.put("moving/gone.py", "1")
    service.create("synced", DagS3Path="moving")
    stub = only(service, "synced")
    service.put("moving/changed.py", "2")
    service.put("moving/deep/down/new.py", "1")
    service.client("s3").delete_object(Bucket=BUCKET, Key="moving/gone.py")
    wait_until(
        lambda: stub.dags() == {"kept.py", "changed.py", "deep/down/new.py"} and stub.read("dags/changed.py") == "2",
        seconds=10,
    )
    assert stub.revived


def test_deleted_environment_leaves_nothing(service: Service) -> None:
    service.create("short-lived")
    stub = only(service, "short-lived")
    delete(service, "short-lived")
    assert stub not in service.running
    assert not stub.plan.home.exists()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    yield from serve(tmp_path, monkeypatch)


def test_next_server_starts_the_environments_again(
    alone: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = alone.put_plugins("GOOD = 1")
    before = alone.create("again", PluginsS3Path="airflow/plugins.zip", Tags={"kept": "yes"})
    alone.mwaa.update_environment(Name="again", PluginsS3ObjectVersion="no-such-version")
    alone.ended("again")
    alone.environments.close()
    assert not alone.running

    next_server = serve(tmp_path, monkeypatch)
    again = next(next_server)
    made = again.ended("again")
    assert (made["Status"], made["PluginsS3ObjectVersion"], made["Tags"]) == ("UPDATE_FAILED", good, {"kept": "yes"})
    assert made["CreatedAt"] == before["CreatedAt"]
    assert only(again, "again").read("plugins/package/plugin.py") == "GOOD = 1"
    assert next(next_server, None) is None
