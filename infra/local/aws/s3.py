"""A client of the platform's S3, for the stand-ins of AWS services."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config


def bucket_and_key(uri: str) -> tuple[str, str]:
    """The bucket and the key of an `s3://` URI."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def s3_client() -> Any:
    """A client with short waits: S3 may be down while a job is being stopped."""
    return boto3.client(
        "s3",
        endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"],
        config=Config(
            connect_timeout=2,
            read_timeout=30,
            retries={"total_max_attempts": 2},
            s3={"addressing_style": "path"},
        ),
    )
