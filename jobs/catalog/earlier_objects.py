"""Moves ledger records and results that release 0.1.0 wrote beside the day folders into them. It goes with 0.4.0.

The registration does it before it makes the Glue tables partitioned: a table without partitions reads both places, a
partitioned one reads day folders alone. It looks again at each registration, as a driver of that release may still run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from jobs.lake import s3
from jobs.lake.run import utc
from jobs.lake.state import day_folders, recorded

AT_ONCE = 16


def move(bucket: str, folder: str) -> str | None:
    """Moves what lies in `folder` outside of a day's folder. Two requests when there is nothing to move.

    A kill in between leaves an object twice, until the next call.

    Returns:
        What was done, in a line; None when there was nothing to do.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = pool.map(partial(_move, bucket, folder), _outside(bucket, folder))
        moved = [outcome for outcome in done if outcome is not None]
    if not moved:
        return None
    left = moved.count(False)
    unread = f"; {left} can't be read and stay where they are, unseen by queries" if left else ""
    return f"s3://{bucket}/{folder}: moved {len(moved) - left} objects of an earlier release to their days{unread}"


def _outside(bucket: str, folder: str) -> Iterator[str]:
    client = s3.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/")
    prefixes = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    for prefix in prefixes:
        if not prefix.startswith(f"{folder}{day_folders.COLUMN}="):
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (entry["Key"] for entry in page.get("Contents", []) if entry["Key"].endswith(".json"))


def _move(bucket: str, folder: str, key: str) -> bool | None:
    client = s3.client()
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if not s3.absent(error):
            raise
        return None  # another registration has just moved it
    try:
        to = _place(folder, key, json.loads(body))
    except (KeyError, TypeError, ValueError):
        return False
    client.put_object(Bucket=bucket, Key=to, Body=body)
    client.delete_object(Bucket=bucket, Key=key)
    return True


def _place(folder: str, key: str, content: dict[str, Any]) -> str:
    if folder == recorded.FOLDER:
        return recorded.key_of(content["table_name"], content["output_version"], utc(content["committed_at"]))
    return f"{folder}{day_folders.of(utc(content['validated_at']))}/{key.removeprefix(folder)}"
