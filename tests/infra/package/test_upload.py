"""A release in the code bucket has the same files as in the build folder, and is whole once its checksums are there."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from infra.package import content, release, upload
from jobs.lake.errors import ConfigurationError
from tests.infra.package.conftest import files


@pytest.fixture
def bucket(lake: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SLUICE_CODE_BUCKET", lake)
    return lake


def uploaded(bucket: str) -> set[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def test_code_of_the_jobs_goes_under_the_release_s_name(checkout: Path, bucket: str) -> None:
    named = content.name(content.read())
    assert upload.code() == f"s3://{bucket}/releases/{named}"
    assert uploaded(bucket) == {f"releases/{named}/{name}" for name in ("run.py", "jobs.zip")}


def test_whole_release_is_uploaded_once_and_its_checksums_last(
    checkout: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release.build()
    half = boto3.client("s3")
    half.put_object(Bucket=bucket, Key=f"releases/{folder.name}/run.py", Body=b"of an upload that was killed")

    assert upload.whole() == f"s3://{bucket}/releases/{folder.name}"

    assert uploaded(bucket) == {f"releases/{folder.name}/{name}" for name in files(folder)}
    place = {"Bucket": bucket, "Key": f"releases/{folder.name}/run.py"}
    assert half.get_object(**place)["Body"].read() == (folder / "run.py").read_bytes()
    half.put_object(**place, Body=b"would be written again")
    upload.whole()
    assert half.get_object(**place)["Body"].read() == b"would be written again"


def test_missing_bucket_is_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_CODE_BUCKET", raising=False)
    with pytest.raises(ConfigurationError, match="SLUICE_CODE_BUCKET is not set"):
        upload.code()
