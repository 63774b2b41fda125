"""The Spark session of a job. Settings of the cluster (memory, jars, endpoints) come with the job's submission."""

from __future__ import annotations

from pyspark.sql import SparkSession

CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Every time in the lake is UTC; a session zone would shift what Python sees.
    "spark.sql.session.timeZone": "UTC",
    # Athena reads TIMESTAMP with millisecond or microsecond values, never INT96.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A step that changes nothing still commits which inputs it has read.
    "spark.databricks.delta.skipRecordingEmptyCommits": "false",
    # Delta lists a table's log from its last checkpoint on; without this, all of it for each commit. Needs S3A.
    "spark.hadoop.delta.enableFastS3AListFrom": "true",
    # Spark takes a file's bytes for its rows' when it decides to send one side of a join to all executors. Rows in
    # memory are several times as large: of 1.5 million orders it sent one side, for which 1 GB had no room.
    "spark.sql.sources.fileCompressionFactor": "5",
    # The schema contract adds columns explicitly. MERGE must never add a column, or set one to null, on its own
    # (delta#1551).
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
    # Spark hides options by their name, but in some plans it prints a source's options as they are: so passwords are
    # hidden in texts too. Plans go to logs, the UI and event logs.
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|jaas",
    "spark.sql.redaction.string.regex": r"""(?i)(?:username|password)\s*=\s*"(?:[^"\\]|\\.)*\"""",
}


def spark(name: str) -> SparkSession:
    """The session, created at the first call."""
    builder = SparkSession.builder.appName(name)
    for key, value in CONF.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
