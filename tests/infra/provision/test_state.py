from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.provision import settings, state
from infra.provision.errors import ProvisionError
from infra.provision.settings import Environment

HERE = Environment("dev", Path("dev.tfvars"), "eu-west-1", "a-state-bucket", "a")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with mock_aws():
        yield boto3.client("s3", region_name=HERE.region)


def test_bucket_of_the_state_keeps_versions_is_encrypted_closed_and_tls_only(s3: Any) -> None:
    assert "made" in state.make(s3, HERE)
    bucket = HERE.state_bucket
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == HERE.region


def test_a_second_time_keeps_what_is_there_and_mends_the_rest(s3: Any) -> None:
    state.make(s3, HERE)
    s3.delete_bucket_policy(Bucket=HERE.state_bucket)  # moto in process denies everybody by it
    s3.put_object(Bucket=HERE.state_bucket, Key=HERE.state_key, Body=b"{}")
    assert "was there" in state.make(s3, HERE)
    assert s3.get_bucket_policy(Bucket=HERE.state_bucket)
    s3.delete_bucket_policy(Bucket=HERE.state_bucket)
    assert s3.get_object(Bucket=HERE.state_bucket, Key=HERE.state_key)["Body"].read() == b"{}"


def test_bucket_of_somebody_else_is_told_with_what_to_do() -> None:
    class Foreign:
        def head_bucket(self, **_: str) -> None:
            from botocore.exceptions import ClientError

            answer = {"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(answer, "HeadBucket")  # type: ignore[arg-type]  # a part of an answer is enough here

    with pytest.raises(ProvisionError, match="names of your own"):
        state.make(Foreign(), HERE)


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_every_environment_says_where_its_state_lies_and_no_two_share_it(name: str) -> None:
    found = settings.read(name)
    assert found.state_bucket.endswith(f"-{name}")
    assert found.state_key == f"{name}/terraform.tfstate"
    assert found.region


@pytest.mark.parametrize("name", ["", "test", "../dev"])
def test_unknown_environment_is_told_which_there_are(name: str) -> None:
    with pytest.raises(ProvisionError, match="there are dev, prod, staging"):
        settings.read(name)
