"""The Spark session of tests: as a job has it on the laptop, with plans that are cheap for ten rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

QUIET = {"spark.ui.showConsoleProgress": "false"}
# The second compiler pays in a long session: 25 silver builds began at 21 CPU seconds and ended at 6.7, else at 9.
SHORT = "-XX:TieredStopAtLevel=1"
# It pays for what runs often: asked four times as late, it saves 16 of 219 CPU seconds of 38 tests.
LONG = (
    "-XX:Tier4InvocationThreshold=20000 -XX:Tier4MinInvocationThreshold=2400 "
    "-XX:Tier4CompileThreshold=60000 -XX:Tier4BackEdgeThreshold=160000"
)


def conf(s3_url: str, *, long: bool = True) -> dict[str, str]:
    """The session's settings, in a process whose environment is `spark_conf.environment`.

    Args:
        s3_url: the S3 that `s3://` means.
        long: the session lives for more than about five minutes.
    """
    from infra.setup.spark_conf import FEW_ROWS, local_conf
    from jobs.lake import session

    return {**local_conf(s3_url, compilers=LONG if long else SHORT), **session.CONF, **FEW_ROWS, **QUIET}


def session(s3_url: str) -> SparkSession:
    """The session, in a process whose environment is `spark_conf.environment`."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("tests")
    for key, value in conf(s3_url).items():
        builder = builder.config(key, value)
    started: SparkSession = builder.getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    return started
