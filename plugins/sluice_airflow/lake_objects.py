"""Small JSON objects in the lake's bucket, through which Airflow and a stream's driver talk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore.exceptions import ClientError


def s3_client(operator: Any) -> Any:
    """A boto3 client for S3 with the connection settings of an operator of the Amazon provider."""
    return S3Hook(
        aws_conn_id=operator.aws_conn_id,
        region_name=operator.region_name,
        verify=operator.verify,
        config=operator.botocore_config,
    ).conn


@dataclass(frozen=True)
class LakeObjects:
    """One bucket, through a boto3 client."""

    s3: Any
    bucket: str

    def read_json(self, key: str) -> dict[str, Any] | None:
        """The object's value; None when there is no such object."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        with body:
            value: dict[str, Any] = json.load(body)
            return value

    def write_json(self, key: str, value: dict[str, Any]) -> None:
        """Writes one line of JSON; S3 makes it visible whole or not at all."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=(json.dumps(value, sort_keys=True) + "\n").encode())
