"""Lakes of tests. Each is a bucket for one test, and the environment names it while it is in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from infra.local.addresses import REGION

SHARED_AWS = "SLUICE_TEST_AWS"  # the two addresses of a throw-away AWS that already runs


@contextmanager
def empty(environment: Mapping[str, str]) -> Iterator[str]:
    """Makes an empty bucket, and gives its name."""
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        bucket = f"lake-{uuid4().hex[:12]}"
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("SLUICE_LAKE_BUCKET", bucket)
        patch.setenv("SLUICE_PROJECT", bucket)  # the lake has its own secrets too
        boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield bucket


@contextmanager
def copy(original: str, environment: Mapping[str, str]) -> Iterator[str]:
    """A bucket with the objects of another. It takes a second, where many Spark jobs built the original."""
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
    """Drops what a job has cached, as the end of its process would. Spark would search it in each later plan."""
    from pyspark.sql import SparkSession

    if active := SparkSession.getActiveSession():
        active.catalog.clearCache()
