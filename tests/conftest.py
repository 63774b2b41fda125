"""One local AWS and one Spark session for all tests of the lake. Each test has its own bucket.

Nothing here imports Spark or AWS clients until a test needs them: the Airflow environment loads this file too, and
has neither. If Spark can't start, the test that needs it fails; nothing is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from infra.local.aws import plain_moto
from infra.setup import proxies, spark_conf
from tests import lakes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

proxies.bypass_here()  # every server of these tests is on this machine


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto server: S3, Secrets Manager and Glue."""
    if shared := os.environ.get(lakes.SHARED_AWS):
        yield shared
        return
    with plain_moto.server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(scope="session")
def lake_environment(moto_url: str) -> dict[str, str]:
    """What a job finds in its environment to reach this AWS."""
    return plain_moto.environment(moto_url)


@pytest.fixture(scope="session")
def spark(moto_url: str, lake_environment: dict[str, str]) -> Iterator[SparkSession]:
    """The session in which every job of this run works, as `jobs.lake.session.spark` finds it."""
    from tests import spark

    with pytest.MonkeyPatch.context() as patch:
        for name, value in spark_conf.environment(lake_environment).items():
            patch.setenv(name, value)  # the JVM sees the environment that it was started in
        started = spark.session(moto_url)
    yield started
    started.stop()


@pytest.fixture
def lake(lake_environment: dict[str, str]) -> Iterator[str]:
    """An empty lake: a bucket for this test, which the environment names."""
    with lakes.empty(lake_environment) as bucket:
        yield bucket
    lakes.forget_frames()
