"""Versions and commits of Delta tables, read from the log alone: no Spark job, no JVM."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from jobs.lake import s3, settings
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.errors import LakeError

_ENTRY = re.compile(r"(\d{20})\.json")


@dataclass(frozen=True)
class Commit:
    """One version of a table.

    Attributes:
        version: its number.
        operation: as Delta names it: `MERGE`, `WRITE`, `OPTIMIZE`, ...
        time: when it was committed, UTC.
        record: what our writer recorded; None for commits of other writers.
        bytes_written: size of the data files that it added.
        rows_written: rows that it inserted or updated, by Delta's own count; None if Delta doesn't say.
        restored: for a RESTORE, the version or the time that the table went back to.
    """

    version: int
    operation: str
    time: datetime
    record: CommitRecord | None
    bytes_written: int
    rows_written: int | None = None
    restored: int | datetime | None = None

    @property
    def counts(self) -> Counts | None:
        """Rows of the step that made it; None for creation, housekeeping and commits of other writers."""
        return self.record.counts if self.record else None

    @property
    def inputs(self) -> Mapping[str, int]:
        """Version of each input table that the step read."""
        return self.record.inputs if self.record else {}


def open_table(uri: str, version: int | None = None) -> DeltaTable | None:
    """The table's log; None when there is no table."""
    try:
        return DeltaTable(uri, version=version, storage_options=settings.storage_options())
    except TableNotFoundError:
        return None


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


def row_count(uri: str, version: int) -> int:
    """Rows of a version, from the statistics in its log."""
    found = open_table(uri, version)
    return 0 if found is None else int(found.count())


def commits(uri: str) -> Iterator[Commit]:
    """The commits that the log still has, newest first. Each costs one request, when the caller asks for it."""
    newest = version(uri)
    if newest is None:
        return
    for number in range(newest, -1, -1):
        found = commit(uri, number)
        if found is None:
            return  # the log was cleaned up to here
        yield found


def commit(uri: str, version: int) -> Commit | None:
    """The commit that made a version, in one request; None when the log does not have it any more."""
    bucket, folder = _folder(uri)
    entry = _commit_info(s3.client(), bucket, f"{folder}{version:020d}.json")
    if entry is None:
        return None
    metrics = entry.get("operationMetrics") or {}
    return Commit(
        version=version,
        operation=str(entry["operation"]),
        time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
        record=CommitRecord.from_json(entry.get("userMetadata")),
        bytes_written=int(metrics.get("numOutputBytes") or metrics.get("numTargetBytesAdded") or 0),
        rows_written=_rows_written(metrics),
        restored=_restored(entry),
    )


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
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return int(json.loads(body)["version"])


def _commit_info(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """What a log entry says of its commit. It is among the first lines, before those of the files."""
    try:
        lines = client.get_object(Bucket=bucket, Key=key)["Body"].iter_lines()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    for line in lines:
        if b'"commitInfo"' in line and (found := json.loads(line).get("commitInfo")):
            return dict(found)
    raise LakeError(f"s3://{bucket}/{key} says nothing about its commit: another program has written it")


def effective(uri: str) -> Iterator[Commit]:
    """The commits that made the table what it is, newest first. Those that a RESTORE undid are left out."""
    back_to: int | datetime | None = None
    for commit in commits(uri):
        if not _existed_at(commit, back_to):
            continue
        if commit.restored is not None:
            back_to = commit.restored
            continue
        yield commit


def _existed_at(commit: Commit, moment: int | datetime | None) -> bool:
    """Whether the commit existed at that version or time; None means now."""
    if isinstance(moment, datetime):
        return commit.time <= moment
    return moment is None or commit.version <= moment


def _restored(entry: dict[str, Any]) -> int | datetime | None:
    """The version or time that a RESTORE went back to. Its parameters are texts."""
    if entry["operation"] != "RESTORE":
        return None
    to = entry["operationParameters"]
    if to.get("version") is not None:
        return int(to["version"])
    return datetime.fromisoformat(str(to["timestamp"]).replace(" ", "T")).replace(tzinfo=UTC)


def _rows_written(metrics: dict[str, Any]) -> int | None:
    if "numTargetRowsInserted" in metrics:  # MERGE
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics["numOutputRows"]) if "numOutputRows" in metrics else None


def newest_of(uri: str, step: str) -> Commit | None:
    """The newest commit that `step` made and that no RESTORE undid; None when the log has none."""
    return next((commit for commit in effective(uri) if commit.record and commit.record.step == step), None)


def newest_facts(uri: str) -> Mapping[str, Any]:
    """What the source said about itself when it was last read; {} when the log has no such commit.

    Commits of housekeeping and of other writers have no facts, and are skipped.
    """
    return next((commit.record.facts for commit in commits(uri) if commit.record and commit.record.facts), {})
