"""A client of the platform's S3, for the stand-ins of AWS services."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config


def bucket_and_key(uri: str) -> tuple[str, str]:
    """The bucket and the key of an `s3://` URI."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def s3_client(credentials: Mapping[str, str] = os.environ) -> Any:
    """A client with short waits: S3 may be down while a job is being stopped.

    Args:
        credentials: of whom it calls for, by the names of the environment's variables.
    """
    return boto3.client(
        "s3",
        endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            connect_timeout=2,
            read_timeout=30,
            retries={"total_max_attempts": 2},
            s3={"addressing_style": "path"},
        ),
    )
