"""Reads what the lake says of its quality: one small object for each table, and single results of gates.

`dq/summary.py` says what is in them. The web server has neither the registry nor a reader of Delta tables: what it
shows is all in these objects. Memory is bounded by `CACHED_BYTES`, time by the number of tables.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

FOLDER = "ops/quality/"
REGISTRY = f"{FOLDER}registry.json"
RESULT = re.compile(r"gold/quality/day=\d{4}-\d\d-\d\d/\w+/\d{8}_\d{6}\.json", re.ASCII)
CACHED_BYTES = 32_000_000
LARGEST = 4_000_000  # bytes of one object; a summary of 100 rules has 400,000
AT_ONCE = 8
# A page is never held up for long: two tries of a few seconds, then the person is told.
PATIENCE = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2}, max_pool_connections=AT_ONCE)


class LakeAwayError(Exception):
    """The lake can't be read; the message says why."""


class Lake:
    """The lake's objects. Those that have not changed since they were read are not read again."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._known: OrderedDict[str, tuple[str, bytes]] = OrderedDict()  # by key: ETag and content
        self._lock = threading.Lock()

    def summaries(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The summaries by table, of these tables or of all, and the registry by the name of its object's table.

        Raises:
            LakeAwayError: S3 refuses or does not answer.
        """
        wanted = None if names is None else {f"{FOLDER}{name}.json" for name in names}
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=FOLDER)
            tags = {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", [])}
            chosen = {key: tag for key, tag in tags.items() if wanted is None or key in wanted}
            with ThreadPoolExecutor(AT_ONCE) as pool:
                bodies = dict(zip(chosen, pool.map(self._content, chosen, chosen.values()), strict=True))
        except (ClientError, BotoCoreError) as error:
            raise LakeAwayError(_why(error)) from error
        with self._lock:
            for gone in [key for key in self._known if key not in tags]:
                del self._known[gone]
        return {
            key.removeprefix(FOLDER).removesuffix(".json"): json.loads(body) for key, body in bodies.items() if body
        }

    def result(self, key: str) -> Any | None:
        """One result of a gate; None when there is no such object, as with those that housekeeping has folded.

        Raises:
            LakeAwayError: S3 refuses or does not answer.
        """
        if not RESULT.fullmatch(key):
            return None
        try:
            body = self._read(key)
        except (ClientError, BotoCoreError) as error:
            raise LakeAwayError(_why(error)) from error
        return json.loads(body) if body else None

    def _content(self, key: str, tag: str) -> bytes:
        with self._lock:
            known = self._known.get(key)
            if known and known[0] == tag:
                self._known.move_to_end(key)
                return known[1]
        body = self._read(key)
        with self._lock:
            self._known[key] = (tag, body)
            self._known.move_to_end(key)
            while sum(len(content) for _, content in self._known.values()) > CACHED_BYTES:
                self._known.popitem(last=False)
        return body

    def _read(self, key: str) -> bytes:
        """The object's bytes; none when it is gone or too large to be one of ours."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return b""
            raise
        with answer["Body"] as body:
            return bytes(body.read()) if answer["ContentLength"] <= LARGEST else b""


@cache
def of_environment() -> Lake:
    """The lake that the environment names; AWS's own variables say where its S3 is.

    Raises:
        LakeAwayError: SLUICE_LAKE_BUCKET is not set.
    """
    bucket = os.environ.get("SLUICE_LAKE_BUCKET")
    if not bucket:
        raise LakeAwayError("SLUICE_LAKE_BUCKET is not set in the environment of Airflow's web server")
    return Lake(boto3.client("s3", config=PATIENCE), bucket)


def _why(error: Exception) -> str:
    """The kind of failure; an error's own text may hold addresses and ids that are no reader's business."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
