"""One writer a table, held where the write happens: `_locks/<table>.json`, taken by S3's conditional PUT.

Spark's Delta does not make commits of two drivers on S3 safe (delta#3596): the later one replaces the log entry of
the earlier. A lease is renewed by a heartbeat; it may be broken only when the heartbeat is stale and the job run of
its owner is no longer live. It is never deleted, so that its fencing number only grows.

Who waits says so in `_locks/<table>.waiting.json`: a stream, which would hold its tables for ever, then gives way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3

from jobs.lake import settings
from jobs.lake.errors import LeaseLostError, TableBusyError
from jobs.lake.run import Run, utc
from jobs.lake.state import objects

HEARTBEAT = timedelta(seconds=10)
STALE = timedelta(seconds=60)
PATIENCE = timedelta(minutes=10)
WAITING = timedelta(seconds=30)  # a waiter that was not heard of for so long has gone
LIVE = ["SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING"]


@dataclass
class Lease:
    """A held lease.

    Attributes:
        table: that it is for.
        body: what its object says.
        etag: of the object as this owner wrote it.
        s3: the client that writes it; clients may be shared between threads, making them may not.
    """

    table: str
    body: dict[str, Any]
    etag: str
    s3: Any
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fencing(self) -> int:
        """Grows with every owner."""
        return int(self.body["fencing"])

    def renew(self, *, held: bool = True) -> None:
        """Tells that the owner lives, or, with `held` false, that it is done. Called just before a commit as well.

        Raises:
            LeaseLostError: another owner has it.
        """
        with self._one_at_a_time:
            self.body |= {"heartbeat_at": _now().isoformat(), "held": held}
            etag = objects.write_json_if(_key(self.table), self.body, etag=self.etag, s3=self.s3)
            if etag is None:
                raise LeaseLostError(
                    f"{self.table}: the lease of {self.body['run_id']} was taken over while it wrote. What it did "
                    "not commit is not there: run the step again."
                )
            self.etag = etag


@contextmanager
def hold(run: Run, *tables: str, waiting: Callable[[], object] = lambda: None) -> Iterator[dict[str, Lease]]:
    """Holds the leases of these tables, always taken in the same order, while the block runs.

    Args:
        run: that holds them.
        *tables: their names.
        waiting: called once a second while another has one of them.

    Raises:
        TableBusyError: another live writer has one of them for longer than the patience.
        LeaseLostError: at the end, when a lease was lost in between.
    """
    with ExitStack() as stack:
        yield {table: stack.enter_context(_held(run, table, waiting)) for table in sorted(tables)}


def awaited(*tables: str) -> bool:
    """Whether another job waits for one of these tables."""
    return any(_waiter(table) for table in tables)


@contextmanager
def _held(run: Run, table: str, waiting: Callable[[], object]) -> Iterator[Lease]:
    lease = _take(run, table, waiting)
    done, lost = threading.Event(), []

    def beat() -> None:
        while not done.wait(HEARTBEAT.total_seconds()):
            try:
                lease.renew()
            except LeaseLostError as error:
                lost.append(error)
                return
            except Exception as error:  # S3 is slow or away: the next beat tells
                print(f"{table}: heartbeat failed: {type(error).__name__}", flush=True)

    thread = threading.Thread(target=beat, name=f"lease-{table}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        done.set()
        thread.join()
        if not lost:
            lease.renew(held=False)
    if lost:
        raise lost[0]


def _take(run: Run, table: str, waiting: Callable[[], object]) -> Lease:
    """Waits for the lease and takes it."""
    s3 = boto3.client("s3")
    give_up = time.monotonic() + PATIENCE.total_seconds()
    told = False
    mine: dict[str, Any] = {
        "table_name": table,
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "step": run.step,
        "job": run.job,
    }
    mine |= {"owner": uuid4().hex, "held": True}
    while True:
        theirs, seen = objects.read_json_with_etag(_key(table), s3) or (None, None)
        if theirs is None or _free(theirs, run):
            fencing = 1 if theirs is None else int(theirs["fencing"]) + 1
            mine |= {"fencing": fencing, "heartbeat_at": _now().isoformat()}
            etag = objects.write_json_if(_key(table), mine, etag=seen, s3=s3)
            if etag is not None:
                if told:
                    objects.delete(_waiting_key(table))
                return Lease(table, mine, etag, s3)
            continue  # another was quicker
        owner = f"{theirs['step']} of run {theirs['run_id']}"
        if time.monotonic() > give_up:
            raise TableBusyError(
                f"{table} is being written by {owner}, last heard of {theirs['heartbeat_at']}. Nothing was "
                "written. It is tried again; if that job hangs, cancel it."
            )
        if not told:
            print(f"{table}: waits for {owner}", flush=True)
            told = True
        if not _waiter(table):
            objects.write_json(_waiting_key(table), {"run_id": run.run_id, "step": run.step, "at": _now().isoformat()})
        waiting()
        time.sleep(1)


def _free(body: dict[str, Any], run: Run) -> bool:
    """Whether the lease may be taken: given back, or its owner is silent and has no live job run.

    An owner of the same job run is its earlier attempt: EMR Serverless starts one when the other has ended.
    """
    if not body["held"] or (run.job and body["job"] == run.job):
        return True
    if _now() - utc(body["heartbeat_at"]) < STALE:
        return False
    return not (body["job"] and _is_live(body["job"]))


def _is_live(job: str) -> bool:
    application = settings.emr_application_id()
    pages = boto3.client("emr-serverless").get_paginator("list_job_runs")
    return any(
        entry.get("name") == job
        for page in pages.paginate(applicationId=application, states=LIVE)
        for entry in page["jobRuns"]
    )


def _waiter(table: str) -> bool:
    found = objects.read_json(_waiting_key(table))
    return found is not None and _now() - utc(found["at"]) < WAITING


def _waiting_key(table: str) -> str:
    return f"_locks/{table}.waiting.json"


def _key(table: str) -> str:
    return f"_locks/{table}.json"


def _now() -> datetime:
    return datetime.now(UTC)
