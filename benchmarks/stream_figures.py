"""Reads a contender's table after a round: whether it holds all messages, and when each could be queried."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from benchmarks.stream_peers import TABLE, Round
from infra.local import clients
from infra.local.addresses import Addresses
from jobs.lake import settings

DEAD = "bronze.orders_dlq"
COLUMNS = ["partition", "offset", "timestamp"]


@dataclass(frozen=True)
class Landed:
    """The messages of a table. Each array has one element per message, in epoch seconds.

    Attributes:
        sent: Kafka's time.
        queryable: when S3 had the commit that holds it.
    """

    sent: np.ndarray[Any, Any]
    queryable: np.ndarray[Any, Any]

    def latencies(self, after: float) -> np.ndarray[Any, Any]:
        """Seconds from sending until queryable, without the messages of the first seconds."""
        counted: np.ndarray[Any, Any] = (self.queryable - self.sent)[self.sent >= self.sent.min() + after]
        return counted


def landed(addresses: Addresses, each: Round, broken: int = 0) -> Landed:
    """Reads the table of a round, and checks that it holds what was sent.

    Args:
        addresses: the platform's.
        each: the round.
        broken: how many messages belong into the dead-letter queue.

    Raises:
        RuntimeError: a message is missing, doubled, or in the wrong table.
    """
    s3 = clients.client(addresses, "s3")
    rows, times = _appended(s3, each.bucket, TABLE)
    everything, held = [rows], {TABLE: _count(each.bucket, TABLE)}
    if broken:
        everything.append(_appended(s3, each.bucket, DEAD)[0])
        held[DEAD] = _count(each.bucket, DEAD)
    different = pa.concat_tables(everything).group_by(COLUMNS[:2]).aggregate([]).num_rows
    if list(held.values()) != [each.messages - broken, broken][: len(held)] or different != each.messages:
        raise RuntimeError(
            f"{each.bucket} holds {held}, {different} different messages; {each.messages} were sent, {broken} of them "
            "broken: the figures mean nothing"
        )
    sent = rows["timestamp"].cast(pa.int64()).to_numpy() / 1e6
    return Landed(sent, np.array(times))


def _count(bucket: str, table: str) -> int:
    uri = f"s3://{bucket}/{table.replace('.', '/')}"
    return int(DeltaTable(uri, storage_options=settings.storage_options()).count())


def _appended(s3: Any, bucket: str, table: str) -> tuple[pa.Table, list[float]]:
    """The rows that the table's commits appended, and when S3 had the commit of each row, in epoch seconds."""
    folder = table.replace(".", "/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/_delta_log/")
    found, times = [], []
    for entry in (entry for page in pages for entry in page["Contents"]):
        if not entry["Key"].endswith(".json"):
            continue
        for line in s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().splitlines():
            added = json.loads(line).get("add")
            if added and added["dataChange"]:
                body = s3.get_object(Bucket=bucket, Key=f"{folder}/{unquote(added['path'])}")["Body"].read()
                found.append(pq.read_table(io.BytesIO(body), columns=COLUMNS))
                times += [entry["LastModified"].timestamp()] * found[-1].num_rows
    return pa.concat_tables(found), times
