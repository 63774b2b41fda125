"""Seconds and S3 requests of what each step asks of a table's log, as it grows: `python -m benchmarks.log_length`.

A stream's table gets up to 100,000 commits, written into the log as they are, with a checkpoint at the newest multiple
of its interval. Each figure is the best of three; of Spark's append, after two that warm the JVM up.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from benchmarks.table_size import enter_new_lake, start_spark
from infra.local.addresses import HOST
from infra.local.aws.throw_away import Aws
from infra.local.polling import wait_until_serving
from infra.setup import spark_conf
from jobs.lake import s3, settings
from jobs.lake.delta import log, retention, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.run import Run
from jobs.lake.schema import text
from jobs.lake.state import ledger, recorded

TABLE, STEP = "bronze.orders_events", "bronze.orders_events"
LENGTHS = (300, 1_000, 10_000, 100_000)
NEWEST = 180  # a quarter of an hour of a busy stream
TURNS = 3
EVERY = retention.STREAM.checkpoint_every


def get(url: str, path: str, body: bytes | None = None) -> bytes:
    """What the S3 that counts answers to a GET; with a body, to a POST."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=300)
    connection.request("GET" if body is None else "POST", f"/{path}", body)
    return connection.getresponse().read()


@contextmanager
def counting_s3() -> Iterator[str]:
    """Starts the S3 that counts, and gives its address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "s3.log"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.counting_s3", str(port)], stdout=file, stderr=file
            )
        try:
            check = partial(socket.create_connection, (HOST, port))
            wait_until_serving(lambda: check().close(), process, output, seconds=30)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _record(number: int) -> CommitRecord:
    counts = Counts(read=1, written=1)
    return CommitRecord.of(Run("benchmark", STEP), counts=counts, batch_id=f"b{number}", position={"0": number})


def make(spark: SparkSession) -> None:
    """The table, with a few batches of Spark's own."""
    from pyspark.sql.types import StructType

    uri = settings.lake().uri(TABLE)
    schema = StructType([text("order_id", "key")])
    writes.create(spark, uri, schema, None, TABLE, kept=retention.STREAM)
    for number in range(3):
        append(spark, number)
    found = log.open_table(uri)
    if found is None:
        raise RuntimeError(f"there is no table {TABLE}")
    found.create_checkpoint()


def append(spark: SparkSession, number: int) -> None:
    """One batch of one row."""
    rows = snapshot.read(spark, settings.lake().uri(TABLE)).sparkSession.createDataFrame(
        [(f"O{number}",)], ["order_id"]
    )
    writes.append(rows, settings.lake().uri(TABLE), _record(number))


def grow(url: str, length: int) -> None:
    """Writes commits without files into the log, up to this version, and the checkpoint that belongs there."""
    bucket, folder = settings.lake().bucket, f"{TABLE.replace('.', '/')}/_delta_log"
    newest = log.version(settings.lake().uri(TABLE)) or 0
    info = {
        "timestamp": int(datetime.now(UTC).timestamp() * 1000),
        "operation": "WRITE",
        "operationParameters": {"mode": "Append", "partitionBy": "[]"},
        "isBlindAppend": True,
        "operationMetrics": {"numFiles": "0", "numOutputRows": "0", "numOutputBytes": "0"},
        "userMetadata": _record(0).to_json().replace('"b0"', '"b{}"'),
        "engineInfo": "benchmark",
    }
    body = json.dumps({"commitInfo": info}).encode() + b"\n"
    get(url, f"{bucket}/{folder}/{{}}.json?copies={newest + 1}-{length}", body)
    client: Any = s3.client()
    known = json.loads(client.get_object(Bucket=bucket, Key=f"{folder}/_last_checkpoint")["Body"].read())
    at = length // EVERY * EVERY
    state = client.get_object(Bucket=bucket, Key=f"{folder}/{known['version']:020d}.checkpoint.parquet")["Body"].read()
    client.put_object(Bucket=bucket, Key=f"{folder}/{at:020d}.checkpoint.parquet", Body=state)
    pointer = json.dumps({"version": at, "size": known["size"]}).encode()
    client.put_object(Bucket=bucket, Key=f"{folder}/_last_checkpoint", Body=pointer)


def measure(url: str, step: Callable[[], object], turns: int = TURNS) -> tuple[float, int]:
    """The best seconds of a step, and the requests of its last turn."""
    best, requests = float("inf"), 0
    for _ in range(turns):
        before, begun = int(get(url, "requests")), time.monotonic()
        step()
        best, requests = min(best, time.monotonic() - begun), int(get(url, "requests")) - before
    return best, requests


def figures(url: str, spark: SparkSession) -> dict[str, tuple[float, int]]:
    """What each question costs in the log as it is now."""
    uri = settings.lake().uri(TABLE)
    newest = next(log.commits(uri))
    mark = {"version": newest.version, "committed_at": newest.time.isoformat()}
    recorded.keep(TABLE, recorded.Unrecorded((), mark))  # as in a table that is in use
    append(spark, 0)
    ledger.record_stream(TABLE)
    found = {
        "version": measure(url, lambda: log.version(uri)),
        f"newest {NEWEST} commits": measure(url, lambda: list(islice(log.commits(uri), NEWEST))),
        "newest commit of a step": measure(url, lambda: log.newest_of(uri, STEP)),
        "step that never wrote": measure(url, lambda: log.newest_of(uri, "another"), 1),
        "append by Spark": measure(url, lambda: append(spark, 1)),
    }

    def appended_and_recorded() -> tuple[float, int]:
        append(spark, 2)
        return measure(url, lambda: ledger.record_stream(TABLE), 1)

    found["ledger record"] = min(appended_and_recorded() for _ in range(TURNS))
    return found


def main() -> int:
    """Prints the figures. Returns 0 whatever they are."""
    with counting_s3() as url:
        os.environ.update(spark_conf.environment(Aws(url, url).environment()))
        spark = start_spark(url)
        enter_new_lake("lake-log-length")
        make(spark)
        results = {}
        for length in LENGTHS:
            begun = time.monotonic()
            grow(url, length)
            DeltaLogs(spark).forget()
            results[length] = figures(url, spark)
            print(f"{length} commits: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        spark.stop()
    print(f"{'seconds (requests)':<26}" + "".join(f"{length:>17,}" for length in LENGTHS))
    for name in results[LENGTHS[0]]:
        cells = [f"{took:.2f} ({requests:,})" for took, requests in (results[length][name] for length in LENGTHS)]
        print(f"{name:<26}" + "".join(f"{cell:>17}" for cell in cells))
    return 0


class DeltaLogs:
    """Spark's own memory of logs: it must look at the log again, which grew beside it."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def forget(self) -> None:
        """Empties it."""
        jvm: Any = self._spark._jvm
        jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


if __name__ == "__main__":
    sys.exit(main())
