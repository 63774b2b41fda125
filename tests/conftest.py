"""One local AWS and one Spark session for all tests that touch the lake; each test has a bucket of its own.

Nothing here imports Spark or AWS until a test asks for it: the Airflow environment, which has neither of the job
side's clients, loads this file too. Spark that can't start fails the test that needs it: nothing is skipped.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOST = "127.0.0.1"
REGION = "eu-west-1"
# Compiling a plan costs more than running it over ten rows; one task does for each stage.
TEN_ROWS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.showConsoleProgress": "false",
}


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto server: S3, Secrets Manager and Glue. Its objects go with it."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    log = tmp_path_factory.mktemp("moto") / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], stdout=output, stderr=output
        )
        try:
            _wait_until_listening(server, port, log)
            yield f"http://{HOST}:{port}"
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="session")
def lake_environment(moto_url: str) -> dict[str, str]:
    """What a job finds in its environment to reach this AWS."""
    return {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ENDPOINT_URL_S3": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
    }


@pytest.fixture(scope="session")
def spark(moto_url: str, lake_environment: dict[str, str]) -> Iterator[SparkSession]:
    """The session in which every job of this run works, as `jobs.lake.session.spark` finds it."""
    from pyspark.sql import SparkSession

    from infra.local.aws.spark_submit import local_conf
    from infra.setup import class_archive, jars
    from jobs.lake import session

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**lake_environment, "SPARK_LOCAL_IP": HOST, "PYSPARK_PYTHON": sys.executable}.items():
            patch.setenv(name, value)  # the JVM sees the environment that it was started in
        patch.setenv("SLUICE_JARS", os.environ.get("SLUICE_JARS") or str(jars.folder()))
        patch.setenv("SLUICE_CLASS_ARCHIVE", os.environ.get("SLUICE_CLASS_ARCHIVE") or str(class_archive.path()))
        assert any(Path(os.environ["SLUICE_JARS"]).glob("*.jar")), "the jars are not there: run `make setup`"
        builder = SparkSession.builder.appName("tests")
        for key, value in {**local_conf(moto_url), **session.CONF, **TEN_ROWS}.items():
            builder = builder.config(key, value)
        started = builder.getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    yield started
    started.stop()


@pytest.fixture
def lake(lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty lake: a bucket that no other test knows, named in this process's environment."""
    import boto3
    from pyspark.sql import SparkSession

    for name, value in lake_environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"lake-{uuid4().hex[:12]}"
    monkeypatch.setenv("SLUICE_LAKE_BUCKET", bucket)
    monkeypatch.setenv("SLUICE_PROJECT", bucket)  # secrets of its own as well
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield bucket
    if active := SparkSession.getActiveSession():
        active.catalog.clearCache()  # a job's frames live as long as its process: Spark would look through all of them


def _wait_until_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"moto does not answer:\n{log.read_text()}")
