"""Lakes of earlier releases as zip files: to make one, and to put one into a bucket.

`python -m tests.upgrade.kept_lake lake-<version>.zip` makes the one that this release leaves behind, once it is cut.
A lake that is kept is never made again: it has to stay as the old code wrote it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import SparkSession

from infra.local.aws import throw_away
from infra.setup import spark_conf
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from tests import lakes
from tests.jobs.lakehouse import rows
from tests.upgrade import days

EXPECTED = "expected.json"
_STAMP = (2026, 11, 25, 0, 0, 0)  # time of the files in the zip: the same content has the same bytes


def content(spark: SparkSession) -> dict[str, list[Any]]:
    """Every row of every table of this process's lake, as JSON has it."""
    names = [table.name for table in tables.every()]
    names += [quarantine.name(table) for table in tables.layer("silver")]
    there = [name for name in names if log.version(settings.lake().uri(name)) is not None]
    return {name: json.loads(json.dumps(rows(name), default=_plain)) for name in there}


def unpack(file: Path) -> dict[str, list[Any]]:
    """Puts the lake into this process's bucket; returns its content as the old code read it."""
    s3: Any = boto3.client("s3")
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name != EXPECTED:
                s3.put_object(Bucket=settings.lake().bucket, Key=name, Body=archive.read(name))
        expected: dict[str, list[Any]] = json.loads(archive.read(EXPECTED))
    return expected


def pack(spark: SparkSession, file: Path) -> None:
    """Writes this process's lake and its content into a zip."""
    s3: Any = boto3.client("s3")
    bucket = settings.lake().bucket
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page["Contents"]:
                body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                archive.writestr(zipfile.ZipInfo(entry["Key"], _STAMP), body, zipfile.ZIP_DEFLATED)
        text = json.dumps(content(spark), sort_keys=True, indent=0)
        archive.writestr(zipfile.ZipInfo(EXPECTED, _STAMP), text, zipfile.ZIP_DEFLATED)


def _plain(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def main(file: str) -> int:
    """Takes two days from sources to gold in a lake of their own, and keeps it."""
    from tests import spark

    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        os.environ.update(spark_conf.environment(aws.environment()))
        session = spark.session(aws.s3)
        with lakes.empty(aws.environment()):
            for number in (1, 2):
                days.go(session, number, code=Path(file).stem)
            pack(session, Path(file))
        session.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
