"""The Spark session of tests: as a job has it on the laptop, with plans cheap enough for ten rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOST = "127.0.0.1"
# Compiling a plan costs more than running it over ten rows; one task does for each stage.
TEN_ROWS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.showConsoleProgress": "false",
}


def environment(aws: Mapping[str, str]) -> dict[str, str]:
    """What the JVM has to find in its environment; jars and class archive as `make setup` left them."""
    from infra.setup import class_archive, jars

    found = {
        **aws,
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": sys.executable,
        "SLUICE_JARS": os.environ.get("SLUICE_JARS") or str(jars.folder()),
        "SLUICE_CLASS_ARCHIVE": os.environ.get("SLUICE_CLASS_ARCHIVE") or str(class_archive.path()),
    }
    assert any(Path(found["SLUICE_JARS"]).glob("*.jar")), "the jars are not there: run `make setup`"
    return found


def conf(s3_url: str, *, light: bool = True, long: bool = True) -> dict[str, str]:
    """The session's settings, in a process whose environment is `environment`.

    Args:
        s3_url: the S3 that `s3://` means.
        light: for ten rows; else for millions.
        long: the session lives for more than about five minutes.
    """
    from infra.local.aws.emr.spark_submit import local_conf
    from jobs.lake import session

    found = {**local_conf(s3_url), **session.CONF, **(TEN_ROWS if light else {})}
    options = found["spark.driver.extraJavaOptions"]
    # A job ends before the second compiler pays. The first alone also has room for 48 MB of code, which tests fill:
    # from then on methods are thrown out and compiled again. Of 25 silver builds each took 14 CPU seconds so, 9 with
    # room, and with the second compiler 6.7 at the end, but 21 at the beginning.
    compilers = "" if long else "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
    return {**found, "spark.driver.extraJavaOptions": options.replace("-XX:TieredStopAtLevel=1", compilers)}


def session(s3_url: str, *, light: bool = True) -> SparkSession:
    """The session, in a process whose environment is `environment`."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("tests")
    for key, value in conf(s3_url, light=light).items():
        builder = builder.config(key, value)
    started: SparkSession = builder.getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    return started
