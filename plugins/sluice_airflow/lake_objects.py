"""Small JSON objects in the lake's bucket, through which Airflow and a stream's driver talk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ClientError

# As `jobs.lake.state.objects.CHANGED`, which a plugin can't import; a test holds the two equal.
CHANGED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404")


class LakeRefusedError(AirflowFailException):
    """S3 refuses Airflow's role. It is never retried: a person has to give the permission."""


def absent(error: ClientError) -> bool:
    """As `jobs.lake.s3.absent`: whether there is no such object. False for another error.

    Raises:
        LakeRefusedError: S3 refuses. Without `s3:ListBucket` it answers so for a missing object too, and to take that
            for "missing" would forget what a person wants of a stream. Airflow's role needs it on the lake's bucket.
    """
    code = error.response["Error"]["Code"]
    if code in ("AccessDenied", "403"):
        said = error.response["Error"].get("Message") or "no reason given"  # role, action and resource
        raise LakeRefusedError(
            f"S3 refuses {error.operation_name} ({code}): {said}. Allow Airflow's role to do it, and to do "
            "s3:ListBucket on the bucket; without that, S3 answers so for a missing object too"
        ) from error
    return code in ("NoSuchKey", "404")


def s3_client(operator: Any) -> Any:
    """A boto3 client for S3 with the connection settings of an operator of the Amazon provider."""
    return S3Hook(
        aws_conn_id=operator.aws_conn_id,
        region_name=operator.region_name,
        verify=operator.verify,
        config=operator.botocore_config,
    ).conn


def log_client(operator: Any) -> Any:
    """As `s3_client`, for what is read if it can be: it gives up soon, so that S3's silence takes no task's time."""
    patience = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 2}}
    return S3Hook(
        aws_conn_id=operator.aws_conn_id,
        region_name=operator.region_name,
        verify=operator.verify,
        config={**(operator.botocore_config or {}), **patience},
    ).conn


@dataclass(frozen=True)
class LakeObjects:
    """One bucket, through a boto3 client."""

    s3: Any
    bucket: str

    def read_json(self, key: str) -> dict[str, Any] | None:
        """The object's value; None when there is no such object."""
        return self.read_dated(key)[0]

    def read_dated(self, key: str) -> tuple[dict[str, Any] | None, datetime | None]:
        """The object's value, and when it was written; None and None when there is no such object."""
        return self._read(key, "LastModified")

    def read_with_etag(self, key: str) -> tuple[dict[str, Any] | None, str | None]:
        """The object's value and its ETag, for `write_json_if`; None and None when there is no such object."""
        return self._read(key, "ETag")

    def _read(self, key: str, told: str) -> tuple[dict[str, Any] | None, Any]:
        """The object's value, and what else S3 tells of it."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if absent(error):
                return None, None
            raise
        with answer["Body"] as body:
            return json.load(body), answer[told]

    def write_json_if(self, key: str, value: dict[str, Any], *, etag: str | None) -> bool:
        """Writes one line of JSON unless the object has changed since it was seen: S3's conditional PUT.

        Args:
            key: of the object.
            value: to write.
            etag: of the object as it was seen; None when there was none.

        Returns:
            False when somebody else has written or deleted the object.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        body = (json.dumps(value, sort_keys=True) + "\n").encode()
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in CHANGED:
                return False
            raise
        return True

    def keys(self, prefix: str) -> list[str]:
        """Every key that starts with `prefix`."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def delete(self, key: str) -> None:
        """Deletes one object, if it exists."""
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def write_json(self, key: str, value: dict[str, Any]) -> None:
        """Writes one line of JSON; S3 makes it visible whole or not at all."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=(json.dumps(value, sort_keys=True) + "\n").encode())
