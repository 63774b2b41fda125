"""Versions and commits of Delta tables, read from the log alone: no Spark job, no JVM.

A log grows without end, so every search in it has one: it stops where its answer must have come, at a version or at a
mark, or gives up after `SEARCHED` commits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from botocore.exceptions import ClientError
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from jobs.lake import s3, settings
from jobs.lake.delta.commit import Commit as Commit  # others find it here
from jobs.lake.errors import LakeError

_ENTRY = re.compile(r"(\d{20})\.json")
# Ten days of a table that is written every 15 minutes, three years of a daily one. Whoever finds nothing in so many
# commits can do without: it reads everything, or says what to run again. At 10 ms a request it takes 10 seconds.
SEARCHED = 1_000


def open_table(uri: str, version: int | None = None) -> DeltaTable | None:
    """The table's log; None when there is no table."""
    try:
        return DeltaTable(uri, version=version, storage_options=settings.storage_options())
    except TableNotFoundError:
        return None


def dataset(uri: str, version: int | None = None) -> ds.Dataset | None:
    """The table's rows, to be read without Spark; None when there is no table."""
    found = open_table(uri, version)
    return None if found is None else rows(found)


def rows(found: DeltaTable) -> ds.Dataset:
    """The rows of a table that was opened.

    Files are skipped by their statistics, but not by those of dates: delta-rs makes Python's dates of them, which end
    at the years 1 and 9999, so that one row of the year 20226 would keep the whole table from being read.
    """
    columns = pa.schema(found.schema().to_arrow())
    narrow = found.to_pyarrow_dataset(schema=pa.schema([one for one in columns if not pa.types.is_date(one.type)]))
    return ds.FileSystemDataset(list(narrow.get_fragments()), columns, narrow.format, narrow.filesystem)


def version(uri: str) -> int | None:
    """The newest version; None when there is no table. Costs two requests, however large table and log are."""
    bucket, folder = _folder(uri)
    client = s3.client()
    checkpoint = _last_checkpoint(client, bucket, folder)
    return max(_entries(client, bucket, folder, checkpoint), default=checkpoint)


def entries(uri: str, since: int | None = None) -> Mapping[int, str]:
    """The ETag of each log entry by version, from `since` on in one request, or from the newest checkpoint in two."""
    bucket, folder = _folder(uri)
    client = s3.client()
    return _entries(client, bucket, folder, _last_checkpoint(client, bucket, folder) if since is None else since)


def table_id(uri: str) -> str | None:
    """The table's identity, which changes when it is dropped and created again. None when there is no table."""
    found = open_table(uri)
    return None if found is None else str(found.metadata().id)


def properties(uri: str) -> dict[str, str]:
    """The table's properties; {} when there is no table."""
    found = open_table(uri)
    return {} if found is None else {key: str(value) for key, value in found.metadata().configuration.items()}


def row_count(uri: str, version: int) -> int:
    """Rows of a version, from the statistics in its log."""
    found = open_table(uri, version)
    return 0 if found is None else int(found.count())


def commit(uri: str, number: int) -> Commit | None:
    """The commit that made a version; None if the log no longer has it. Costs one request."""
    bucket, folder = _folder(uri)
    entry = _commit_info(s3.client(), bucket, f"{folder}{number:020d}.json")
    return None if entry is None else Commit.of_entry(number, entry)


def commits(uri: str, until: int | None = None) -> Iterator[Commit]:
    """The commits that the log still has, newest first. Each costs one request, when the caller asks for it.

    Args:
        uri: of the table.
        until: the version to begin with; None for the newest.
    """
    newest = version(uri) if until is None else until
    for number in range(-1 if newest is None else newest, -1, -1):
        found = commit(uri, number)
        if found is None:
            return  # the log was cleaned up to here
        yield found


def newest(uri: str) -> Iterator[Commit]:
    """The newest commits, `SEARCHED` of them at most: for searches that may find nothing."""
    return islice(commits(uri), SEARCHED)


def actions(uri: str, version: int) -> list[dict[str, Any]] | None:
    """What a commit did, file by file, in Delta's own words; None if the log has no such commit any more."""
    bucket, folder = _folder(uri)
    try:
        body = s3.client().get_object(Bucket=bucket, Key=f"{folder}{version:020d}.json")["Body"]
    except ClientError as error:
        if s3.absent(error):
            return None
        raise
    return [json.loads(line) for line in body.iter_lines() if line.strip()]


def _folder(uri: str) -> tuple[str, str]:
    """Bucket and key prefix of a table's log."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, f"{key}/_delta_log/"


def _entries(client: Any, bucket: str, folder: str, since: int | None) -> dict[int, str]:
    begin = folder if since is None else f"{folder}{since:020d}"
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, StartAfter=begin)
    listed = (
        (entry["Key"].removeprefix(folder), entry["ETag"]) for page in pages for entry in page.get("Contents", [])
    )
    return {int(found[1]): etag for name, etag in listed if (found := _ENTRY.fullmatch(name))}


def _last_checkpoint(client: Any, bucket: str, folder: str) -> int | None:
    """The version of the newest checkpoint that the log names; None without one."""
    try:
        body = client.get_object(Bucket=bucket, Key=f"{folder}_last_checkpoint")["Body"].read()
    except ClientError as error:
        if s3.absent(error):
            return None
        raise
    return int(json.loads(body)["version"])


def _commit_info(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """What a log entry says of its commit. It is among the first lines, before those of the files."""
    try:
        lines = client.get_object(Bucket=bucket, Key=key)["Body"].iter_lines()
    except ClientError as error:
        if s3.absent(error):
            return None
        raise
    for line in lines:
        if b'"commitInfo"' in line and (found := json.loads(line).get("commitInfo")):
            return dict(found)
    raise LakeError(f"s3://{bucket}/{key} says nothing about its commit: another program has written it")


def effective(uri: str, until: int | None = None) -> Iterator[Commit]:
    """The commits that made the table what it is, newest first, out of the newest `SEARCHED` at most.

    Those that a RESTORE undid are left out. A RESTORE to a version costs nothing for what it undid.

    Args:
        uri: of the table.
        until: explain this version; None for the newest.
    """
    return (commit for commit in standing(uri, until) if commit.restored is None)


def is_effective(uri: str, version: int) -> bool:
    """Whether this version is part of what the table is: no RESTORE undid it, and the log still has it."""
    return any(commit.version == version for commit in takewhile(lambda c: c.version >= version, standing(uri)))


def standing(uri: str, until: int | None = None) -> Iterator[Commit]:
    """The effective commits, and each RESTORE that no later one undid."""
    number, back_to = version(uri) if until is None else until, datetime.max.replace(tzinfo=UTC)
    for _ in range(SEARCHED):
        found = commit(uri, number) if number is not None and number >= 0 else None
        if found is None:
            return
        number = found.version - 1
        if found.time > back_to:
            continue
        if isinstance(found.restored, int):
            number = found.restored
        elif found.restored is not None:
            back_to = found.restored
        yield found


def newest_of(uri: str, step: str) -> Commit | None:
    """The newest commit that `step` made and that no RESTORE undid.

    None if the newest `SEARCHED` commits have none: then the step reads its inputs whole, with the same result.
    """
    return next((commit for commit in effective(uri) if commit.record and commit.record.step == step), None)


def newest_facts(uri: str) -> Mapping[str, Any]:
    """What the source said about itself when it was last read; {} when no commit of the newest `SEARCHED` says it.

    Commits of housekeeping and of other writers have no facts, and are skipped.
    """
    return next((commit.record.facts for commit in newest(uri) if commit.record and commit.record.facts), {})
