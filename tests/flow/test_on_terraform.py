"""A customer's whole way on AWS: Terraform makes it, a release is deployed and runs, and broken ones give way.

The flow runs under the policies that Terraform made, with no setting but what the start-up script exports.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import boto3
import pytest

from infra.deploy import release_in_s3
from infra.deploy.errors import DeployError
from infra.local.aws.access import caller
from infra.local.kafka import produce
from infra.local.kafka.events import messages
from infra.local.polling import wait_until
from infra.local.seeds import generate
from infra.local.sources import seed
from infra.local.sources.ecb.history import newest
from infra.package import content
from infra.provision import __main__ as provision
from infra.provision import application
from infra.provision.errors import ProvisionError
from tests.flow import expected_gold
from tests.flow.on_terraform import PERSON, Cloud, made

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PORT = 18680
SEED_SIZE, SENT = 300, 60
STREAM, DAILY = "orders_stream", "daily_lakehouse"
# Where a bug is put, so that it shows when the file is loaded; and by what the deployment finds it.
BUGS = {
    "job": ("jobs/gold/fact_orders.py", "canary run"),
    "dag": ("dags/daily_report.py", "has not taken release"),
    "plugin": ("plugins/quality_page/app.py", "canary run"),
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICE_SEED_SIZE", str(SEED_SIZE))
        patch.setattr("infra.deploy.trial.SEEN_WITHIN", 120.0)  # a laptop's Airflow needs seconds
        with made(tmp_path_factory.mktemp("cloud"), PORT) as account:
            patch.setenv("SLUICE_HOME", str(account.server.addresses.home))
            patch.setenv("SLUICE_PORT", str(PORT))
            seed.main()
            yield account


@pytest.fixture(scope="module")
def first(cloud: Cloud) -> str:
    """The release of this checkout, deployed to an account that was empty."""
    name = content.name(content.read())
    cloud.deployment.settings()
    cloud.deployment.make_all_but_airflow(name)
    cloud.put_secrets()
    assert cloud.upload() == name
    roles = cloud.enforce()
    assert len(roles) > 8
    cloud.deployment.bring(name, cloud.settings)
    return name


def send(cloud: Cloud, number: int, start: int) -> None:
    now = datetime.now(UTC)
    sent = messages(number, broken=0, customers=["C1", "C2"], day=now.date(), now=now, seed=start)
    produce.send(cloud.server.addresses, sent)


def streamed(cloud: Cloud) -> int:
    """Messages that Athena finds; none before the stream has made its table."""
    if not cloud.ask("SELECT table_name FROM information_schema.tables WHERE table_name = 'orders_events'"):
        return 0
    ((number,),) = cloud.ask("SELECT count(*) FROM bronze.orders_events")
    return int(number)


def test_first_release_is_tried_and_kept(cloud: Cloud, first: str) -> None:
    s3, bucket = cloud.client("s3"), cloud.settings["SLUICE_CODE_BUCKET"]
    assert release_in_s3.tried(s3, bucket) == [first]
    environment = cloud.client("mwaa").get_environment(Name="sluice")["Environment"]
    assert environment["DagS3Path"] == f"releases/{first}/dags"
    assert "makes up for none" in "\n".join(cloud.said)


def test_sources_come_to_gold_as_an_oracle_computes_them(cloud: Cloud, first: str) -> None:
    assert cloud.run(DAILY, "first") == "success"
    wanted = expected_gold.facts(generate(SEED_SIZE, newest()))
    rows = cloud.ask("SELECT order_id, CAST(amount_usd AS varchar) FROM gold.fact_orders")
    assert len(rows) == len(wanted) > SEED_SIZE / 2
    found = {key: Decimal(value) if value else None for key, value in rows}
    assert found == {key: values[4] for key, values in wanted.items()}


def test_stream_runs_and_its_messages_are_in_athena(cloud: Cloud, first: str) -> None:
    send(cloud, SENT, 1)
    cloud.run(STREAM, "begin")  # its watch may be red: the stream has not reported yet
    wait_until(lambda: streamed(cloud) == SENT, seconds=240, pause=2)


@pytest.mark.parametrize("place", BUGS)
def test_release_with_a_bug_is_rolled_back_by_itself_and_the_stream_has_no_gap(
    place: str, cloud: Cloud, first: str
) -> None:
    file, found_by = BUGS[place]
    before = streamed(cloud)
    read = content.read()
    broken = cloud.upload({**read, file: read[file] + f'\nraise NameError("planted in a {place}")\n'.encode()})
    send(cloud, SENT, before)
    with pytest.raises(
        DeployError, match=rf"(?s){broken} does not work, and {first} runs again: .*{found_by}.*planted"
    ):
        cloud.deployment.bring(broken, cloud.settings)
    send(cloud, SENT, before + 1)

    environment = cloud.client("mwaa").get_environment(Name="sluice")["Environment"]
    assert (environment["Status"], environment["DagS3Path"]) == ("AVAILABLE", f"releases/{first}/dags")
    s3, bucket = cloud.client("s3"), cloud.settings["SLUICE_CODE_BUCKET"]
    assert set(release_in_s3.tried(s3, bucket)) == {first}
    cloud.run(STREAM, f"after-{place}-{time.time_ns()}")  # hands the stream over, if the broken release has had it
    wait_until(lambda: streamed(cloud) == before + 2 * SENT, seconds=240, pause=2)
    ((offsets,),) = cloud.ask('SELECT count(DISTINCT (partition, "offset")) FROM bronze.orders_events')
    assert int(offsets) == before + 2 * SENT, "a message came twice"


def test_destroy_keeps_the_data(cloud: Cloud, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in caller.credentials(PERSON).items():  # an administrator
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    deployment, emr = cloud.deployment, cloud.client("emr-serverless")

    def destroy() -> None:
        provision.change(deployment.workspace, "destroy", deployment.environment, deployment.given)

    with pytest.raises(ProvisionError, match=f"job runs are live in .*: {STREAM}"):
        destroy()
    application_id = cloud.settings["SLUICE_EMR_APPLICATION_ID"]

    def live() -> list[str]:
        runs = emr.list_job_runs(applicationId=application_id, states=list(application.LIVE))["jobRuns"]
        return [run["id"] for run in runs]

    for run_id in live():
        emr.cancel_job_run(applicationId=application_id, jobRunId=run_id)
    wait_until(lambda: not live(), seconds=120)
    destroy()
    assert cloud.client("mwaa").list_environments()["Environments"] == []
    buckets = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    assert cloud.settings["SLUICE_LAKE_BUCKET"] in buckets
    kept = cloud.client("s3").list_objects_v2(Bucket=cloud.settings["SLUICE_LAKE_BUCKET"], Prefix="gold/fact_orders/")
    assert kept["KeyCount"] > 1
    assert cloud.client("secretsmanager").get_secret_value(SecretId="sluice/kafka/credentials")["SecretString"]
