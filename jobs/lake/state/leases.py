"""Leases: only the job that holds `_locks/<table>.json` writes the table. It is taken by S3's conditional PUT.

Delta in Spark does not make commits of two drivers on S3 safe (delta#3596): the later one replaces the log entry of
the earlier. A heartbeat renews the lease. Another job may take it over only when the heartbeat is stale and the
owner's job run is no longer live. A lease is never deleted, so that its fencing number only grows.

A waiting job says so in `_locks/<table>.waiting.json`. A stream, which would hold its tables for ever, then gives way.
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
WAITING = timedelta(seconds=30)  # a waiting job that is silent for so long is gone
LIVE = ["SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING"]


@dataclass
class Lease:
    """A held lease.

    Attributes:
        table: name of the table.
        body: content of its object.
        etag: of the object as this owner wrote it.
    """

    table: str
    body: dict[str, Any]
    etag: str
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fencing(self) -> int:
        """Grows with every owner."""
        return int(self.body["fencing"])

    def renew(self, *, held: bool = True) -> None:
        """Says that the owner is alive or, with `held` false, that it is done. Also called just before a commit.

        Raises:
            LeaseLostError: another owner has the lease.
        """
        with self._one_at_a_time:
            self.body |= {"heartbeat_at": _now().isoformat(), "held": held}
            etag = objects.write_json_if(_key(self.table), self.body, etag=self.etag)
            if etag is None:
                # The answer to an earlier renewal may have been lost: then the object is ours, by another ETag.
                found, seen = objects.read_json_with_etag(_key(self.table)) or ({}, None)
                if found.get("owner") == self.body["owner"]:
                    etag = objects.write_json_if(_key(self.table), self.body, etag=seen)
            if etag is None:
                raise LeaseLostError(
                    f"{self.table}: the lease of run {self.body['run_id']} was taken over while it wrote. Nothing "
                    "more was committed: run the step again."
                )
            self.etag = etag


@contextmanager
def hold(run: Run, *tables: str, waiting: Callable[[], object] = lambda: None) -> Iterator[dict[str, Lease]]:
    """Holds the leases of these tables while the block runs. They are always taken in the same order.

    Args:
        run: that holds them.
        *tables: their names.
        waiting: called once a second while another job holds one of them.

    Raises:
        TableBusyError: another live writer held one of them for longer than `PATIENCE`.
        LeaseLostError: a lease was lost while the block ran; raised at its end.
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
            except Exception as error:  # S3 is slow or down: the next beat tries again
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
    give_up = time.monotonic() + PATIENCE.total_seconds()
    announced = False
    own: dict[str, Any] = {
        "table_name": table,
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "step": run.step,
        "job": run.job,
    }
    own |= {"owner": uuid4().hex, "held": True}
    while True:
        current, seen = objects.read_json_with_etag(_key(table)) or (None, None)
        if current is None or _free(current, run):
            fencing = 1 if current is None else int(current["fencing"]) + 1
            own |= {"fencing": fencing, "heartbeat_at": _now().isoformat()}
            etag = objects.write_json_if(_key(table), own, etag=seen)
            if etag is not None:
                if announced:
                    objects.delete(_waiting_key(table))
                return Lease(table, own, etag)
            continue  # another job was quicker
        owner = f"{current['step']} of run {current['run_id']}"
        if time.monotonic() > give_up:
            raise TableBusyError(
                f"{table} is being written by {owner}, whose last heartbeat was at {current['heartbeat_at']}. Nothing "
                "was written. Sluice will try again; if that job hangs, cancel it."
            )
        if not announced:
            print(f"{table}: waits for {owner}", flush=True)
            announced = True
        if not _waiter(table):
            objects.write_json(_waiting_key(table), {"run_id": run.run_id, "step": run.step, "at": _now().isoformat()})
        waiting()
        time.sleep(1)


def _free(body: dict[str, Any], run: Run) -> bool:
    """Whether the lease may be taken: it was given back, or its owner is silent and has no live job run.

    If the owner has our job run's name, it is an earlier attempt of it, and it has ended: EMR Serverless starts an
    attempt only when the one before has ended.
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
