"""Lakes of tests: buckets that no other test knows, each named in the process's environment while it is in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from infra.local.addresses import REGION

SHARED_AWS = "SLUICE_TEST_AWS"  # names the address of a moto server that already runs


@contextmanager
def empty(environment: Mapping[str, str]) -> Iterator[str]:
    """A bucket without objects; gives its name."""
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        bucket = f"lake-{uuid4().hex[:12]}"
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("SLUICE_LAKE_BUCKET", bucket)
        patch.setenv("SLUICE_PROJECT", bucket)  # secrets of its own as well
        boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield bucket


@contextmanager
def copy(original: str, environment: Mapping[str, str]) -> Iterator[str]:
    """A bucket with the objects of another: what took many Spark jobs to build, in a second for each test."""
    import boto3

    with empty(environment) as bucket:
        s3: Any = boto3.client("s3")
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=original)["Contents"]]

        def one(key: str) -> None:
            s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": original, "Key": key})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, keys))
        yield bucket


def forget_frames() -> None:
    """What a job caches lives as long as its process; Spark would look through all of it in each later plan."""
    from pyspark.sql import SparkSession

    if active := SparkSession.getActiveSession():
        active.catalog.clearCache()
