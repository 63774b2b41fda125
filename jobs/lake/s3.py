"""The process's S3 client. Making one takes longer than most calls, and threads may share it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3

from jobs.lake import settings


def client() -> Any:
    """The client of this process for the endpoint that its environment names."""
    return _client(os.getpid(), tuple(sorted(settings.storage_options().items())))


@cache
def _client(_process: int, _endpoint: tuple[tuple[str, str], ...]) -> Any:
    # A forked process must not share its parent's connections.
    return boto3.client("s3")
