"""One local AWS and one Spark session for all tests of the lake. Each test has its own bucket.

Nothing here imports Spark or AWS clients until a test needs them: the Airflow environment loads this file too, and
has neither. If Spark can't start, the test that needs it fails; nothing is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from infra.local.aws import throw_away
from infra.local.aws.throw_away import Aws
from infra.setup import proxies, spark_conf
from tests import lakes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

proxies.bypass_here()  # every server of these tests is on this machine


@pytest.fixture(scope="session")
def plain_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """S3, Secrets Manager and Glue."""
    if shared := os.environ.get(lakes.SHARED_AWS):
        yield Aws(*shared.split())
        return
    with throw_away.server(tmp_path_factory.mktemp("aws")) as started:
        yield started


@pytest.fixture(scope="session")
def lake_environment(plain_aws: Aws) -> dict[str, str]:
    """What a job finds in its environment to reach this AWS."""
    return plain_aws.environment()


@pytest.fixture(scope="session")
def spark(plain_aws: Aws, lake_environment: dict[str, str]) -> Iterator[SparkSession]:
    """The session in which every job of this run works, as `jobs.lake.session.spark` finds it."""
    from tests import spark

    with pytest.MonkeyPatch.context() as patch:
        for name, value in spark_conf.environment(lake_environment).items():
            patch.setenv(name, value)  # the JVM sees the environment that it was started in
        started = spark.session(plain_aws.s3)
    yield started
    started.stop()


@pytest.fixture
def lake(lake_environment: dict[str, str]) -> Iterator[str]:
    """An empty lake: a bucket for this test, which the environment names."""
    with lakes.empty(lake_environment) as bucket:
        yield bucket
    lakes.forget_frames()
