"""The process's S3 client. Making one takes longer than most calls, and threads may share it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError


def client() -> Any:
    """The client of this process for the endpoint that its environment names."""
    return _client(os.getpid(), tuple(sorted(settings.storage_options().items())))


@cache
def _client(_process: int, _endpoint: tuple[tuple[str, str], ...]) -> Any:
    # A forked process must not share its parent's connections.
    return boto3.client("s3")


def absent(error: ClientError) -> bool:
    """Whether S3 says that there is no such object. False for another error, which the caller raises again.

    Raises:
        ConfigurationError: S3 refuses. To a role without `s3:ListBucket` on the bucket, it answers so for a missing
            object as well. To take that for "missing" would forget a lease or a watermark whenever a permission is
            lost. So each role that reads the lake needs `s3:ListBucket` on it, without a condition on the prefix.
    """
    code = error.response["Error"]["Code"]
    if code in ("AccessDenied", "403"):
        said = error.response["Error"].get("Message") or "no reason given"  # role, action and resource
        raise ConfigurationError(
            f"S3 refuses {error.operation_name} ({code}): {said}. Allow the job's role to do it, and to do "
            "s3:ListBucket on the bucket; without that, S3 answers so for a missing object too"
        ) from error
    return code in ("NoSuchKey", "404")
