"""Spark on this machine: what EMR's image, worker sizes and JVM are on AWS."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.setup import jars
from infra.setup.steps import SetupError

HOST = "127.0.0.1"
REGION = "eu-west-1"
DRIVER_MEMORY = "1g"
COLLECTOR = "-XX:+UseSerialGC"
FIRST_COMPILER = "-XX:TieredStopAtLevel=1"
LIGHT_JVM = f"{FIRST_COMPILER} {COLLECTOR}"  # halves the CPU seconds of a start
# The first compiler alone has room for 48 MB of code. A warm driver fills it within a day; from then on methods are
# thrown out and compiled again, and a step takes 16 CPU seconds instead of 10.
ROOM_FOR_CODE = "-XX:ReservedCodeCacheSize=256m"
# A heap that begins small collects three times as often until it has grown: 6 CPU seconds of a driver's first minutes.
WHOLE_HEAP = "-Xms1g -Xmn400m"

# A batch of a few hundred rows costs its plan, not its rows. Interpreting a plan gives the same rows as compiling it,
# and takes two thirds of the CPU of a small step; a first read of 230,000 rows takes a quarter more. Each task reads
# the whole plan once more: with one for a stage instead of two, three days of `make run` take 458 CPU seconds and not
# 539. Files of more than 128 MB are still read by several.
FEW_ROWS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.files.minPartitionNum": "1",
    "spark.default.parallelism": "1",
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    "spark.sql.join.preferSortMergeJoin": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    # PySpark tells the JVM the place in the source of each column function: four calls for one.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}


def local_conf(s3_endpoint: str, *, compilers: str = FIRST_COMPILER) -> dict[str, str]:
    """The configuration of a session, in a process whose environment names the jars.

    Args:
        s3_endpoint: address of the S3 that `s3://` means.
        compilers: JVM flags. The first compiler alone suits a job, which ends before the second one pays. A session
            of more than about five minutes is faster with both: give no flag.
    """
    conf = {
        "spark.master": "local[2]",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.extraJavaOptions": f"{compilers} {COLLECTOR} {ROOM_FOR_CODE} {WHOLE_HEAP}".strip(),
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        # For a few hundred rows, re-planning after each stage costs a fifth of a step, and no plan gets better by it.
        "spark.sql.adaptive.enabled": "false",
        # What Spark compiled for a step is there for the same step of the next day: a warm driver lives for 60 jobs.
        "spark.sql.codegen.cache.maxEntries": "2000",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": s3_endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": REGION,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(s3_endpoint.startswith("https:")).lower(),
        # Small lakes: one task per default partition would be most of a MERGE's time (27 s, 6 s with these).
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    }
    if folder := os.environ.get("SLUICE_JARS"):
        conf["spark.driver.extraClassPath"] = f"{folder}/*"
    return conf


def environment(aws: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a JVM with this configuration starts.

    Args:
        aws: endpoints and credentials.

    Raises:
        SetupError: the jars are missing.
    """
    found = {
        **aws,
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": sys.executable,
        "SLUICE_JARS": os.environ.get("SLUICE_JARS") or str(jars.folder()),
    }
    if not any(Path(found["SLUICE_JARS"]).glob("*.jar")):
        raise SetupError(f"there are no jars in {found['SLUICE_JARS']}: run `make setup`")
    return found
