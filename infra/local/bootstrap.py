"""Fills the stand-ins with what a cloud account holds before the first run. A second time changes nothing.

Buckets, objects, orders and accounts survive a restart. What moto holds does not: secrets, the EMR Serverless
application, the topics of alerts and the Glue catalog are made again at each start.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from infra.local import clients
from infra.local.addresses import EMR_APPLICATION_NAME, REGION, REPOSITORY, Addresses
from infra.local.airflow_api import AirflowApi
from infra.local.errors import PlatformError
from infra.local.kafka import topics
from infra.local.lifecycle import say
from infra.local.parts import python_module
from infra.local.processes import marks
from infra.local.secrets import secrets
from infra.pools import pools as registry_pools
from jobs.alerts.severity import SEVERITIES

RELEASE_LABEL = "emr-spark-8.1.0"
WARM_DRIVERS = 2  # two cores are busy with two jobs


def prepare(addresses: Addresses, environment: Mapping[str, str]) -> str:
    """Makes everything that the first run needs, on running stand-ins; prints a line for each step.

    Returns:
        The URI of the code release.
    """
    _timed("buckets", lambda: _buckets(addresses))
    _timed("secrets", lambda: _secrets(addresses))
    _timed("EMR application", lambda: _application(addresses))
    _timed("topics", lambda: ", ".join(topics.ensure(addresses)))
    _timed("alert topics", lambda: ", ".join(alert_topics(addresses)))
    _timed("Glue databases", lambda: _databases(addresses))
    _timed("seeds", lambda: _command(addresses, environment, "infra.local.sources.seed").splitlines()[0])
    _timed("catalog", lambda: _catalog(addresses, environment))
    return release(addresses, environment)


def release(addresses: Addresses, environment: Mapping[str, str]) -> str:
    """Packages and uploads the code as it is now. Returns the release's URI."""
    return _timed("code release", lambda: _command(addresses, environment, "infra.package", "upload-code"))


def pools(addresses: Addresses) -> None:
    """Gives Airflow the registry's pools. A task of a missing pool waits for ever, without an error."""
    _timed("Airflow pools", lambda: _pools(addresses))


def _timed(title: str, step: Callable[[], str]) -> str:
    begun = time.monotonic()
    outcome = step()
    say(f"  {title:<22} ready    {time.monotonic() - begun:5.1f} s  {outcome}".rstrip())
    return outcome


def _buckets(addresses: Addresses) -> str:
    s3 = clients.client(addresses, "s3")
    wanted = (addresses.lake_bucket, addresses.code_bucket, addresses.logs_bucket, addresses.reports_bucket)
    present = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for name in wanted:
        if name not in present:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return ", ".join(wanted)


def _secrets(addresses: Addresses) -> str:
    manager = clients.client(addresses, "secretsmanager")
    wanted = secrets(addresses)
    for name, document in wanted.items():
        try:
            manager.create_secret(Name=name, SecretString=json.dumps(document))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
    return ", ".join(wanted)


def alert_topics(addresses: Addresses) -> list[str]:
    """Makes the topic of each severity. Subscribe to them what you like; moto forgets them when it stops."""
    sns = clients.client(addresses, "sns")
    return [sns.create_topic(Name=f"{addresses.project}-alerts-{name}")["TopicArn"] for name in SEVERITIES]


def _databases(addresses: Addresses) -> str:
    """Makes the databases that Terraform makes on AWS, where no job may."""
    from jobs.catalog.register_glue_tables import LAYERS  # half a second that no other command needs

    glue = clients.client(addresses, "glue")
    present = {database["Name"] for database in glue.get_databases()["DatabaseList"]}
    for layer in LAYERS:
        if layer not in present:
            location = f"s3://{addresses.lake_bucket}/{layer}/"
            glue.create_database(DatabaseInput={"Name": layer, "LocationUri": location})
    return ", ".join(LAYERS)


def _application(addresses: Addresses) -> str:
    emr = clients.client(addresses, "emr-serverless")
    present = [application["id"] for application in emr.list_applications()["applications"]]
    if addresses.emr_application_id not in present:
        driver = {"workerCount": WARM_DRIVERS, "workerConfiguration": {"cpu": "1 vCPU", "memory": "2 GB"}}
        made = emr.create_application(
            name=EMR_APPLICATION_NAME, releaseLabel=RELEASE_LABEL, type="SPARK", initialCapacity={"DRIVER": driver}
        )
        if made["applicationId"] != addresses.emr_application_id:
            raise PlatformError(
                f"the EMR application is {made['applicationId']}, "
                f"but its clients use {addresses.emr_application_id}: `make down`, then `make up`"
            )
    emr.start_application(applicationId=addresses.emr_application_id)
    return addresses.emr_application_id


def _pools(addresses: Addresses) -> str:
    wanted = registry_pools()
    AirflowApi(addresses.airflow).set_pools(wanted)
    return f"one for each of {len(wanted)} tables"


def _catalog(addresses: Addresses, environment: Mapping[str, str]) -> str:
    """Registers the tables that an earlier platform left in the lake."""
    s3 = clients.client(addresses, "s3")
    found = s3.list_objects_v2(Bucket=addresses.lake_bucket, Prefix="silver/", MaxKeys=1)
    if not found["KeyCount"]:
        return "no tables yet"
    lines = _command(addresses, environment, "jobs.run", "register", "--run-id", "bootstrap").splitlines()
    return f"{len(lines)} tables registered"


def _command(addresses: Addresses, environment: Mapping[str, str], module: str, *arguments: str) -> str:
    """Runs a module of the repository and gives its output.

    Raises:
        PlatformError: it failed. The message has its last lines.
    """
    done = subprocess.run(
        [*python_module(module), *arguments],
        cwd=REPOSITORY,
        env={**environment, **marks(addresses.home, "bootstrap")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        tail = "\n".join(f"  | {line}" for line in (done.stdout + done.stderr).splitlines()[-15:])
        raise PlatformError(f"`python -m {' '.join([module, *arguments])}` failed:\n{tail}")
    return done.stdout.strip()
