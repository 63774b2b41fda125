"""Reads a Delta table as it is, or as it was at a version."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession


def read(spark: SparkSession, uri: str, version: int | None = None) -> DataFrame:
    """The table at a version, or its newest."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(uri)
