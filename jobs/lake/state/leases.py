"""Leases: only the job that holds `_locks/<table>.json` writes the table. It is taken by S3's conditional PUT.

Delta in Spark does not make commits of two drivers on S3 safe (delta#3596): the later one replaces the log entry of
the earlier. A heartbeat renews the lease. Another job may take it over only when the heartbeat is stale and the
owner's job run has ended. A silent owner without a job run may still write: its lease stays, until a person breaks it.

Sluice never deletes a lease, so that its fencing number only grows. If a person did, the next owner's number goes on
from the table's last commit.

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

from jobs.lake.errors import LeaseLostError, TableBusyError
from jobs.lake.run import Run, utc
from jobs.lake.state import lease_owner, objects
from jobs.lake.state.fencing import Fence
from jobs.lake.state.lease_owner import Standing, key

HEARTBEAT = timedelta(seconds=10)
PATIENCE = timedelta(minutes=10)
WAITING = timedelta(seconds=30)  # a waiting job that is silent for so long is gone


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
    _fence: Fence
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fencing(self) -> int:
        """Grows with every owner, and goes into the commits."""
        return int(self.body["fencing"])

    def renew(self) -> None:
        """Called just before each commit: makes sure that it is still this owner's to make.

        Costs a PUT, a LIST, and a GET for each commit since the last call, of which there is one as a rule.

        Raises:
            LeaseLostError: another owner has the lease, or has committed.
        """
        self._fence.check(self.fencing, self.body["run_id"])
        self.write()  # the last thing before the commit: whoever committed took the lease first

    def outrank(self) -> None:
        """Called once after the lease was taken: its number is to be higher than any in the table.

        It is not where a person deleted the lease or put an earlier one back. Then the table would refuse its commits.
        """
        if (last := self._fence.last()) >= self.fencing:
            self.write(fencing=last + 1)

    def write(self, **changes: Any) -> None:
        """Says that the owner is alive, and what has changed.

        Raises:
            LeaseLostError: another owner has the lease.
        """
        with self._one_at_a_time:
            self.body |= {"heartbeat_at": _now().isoformat(), **changes}
            etag = objects.write_json_if(key(self.table), self.body, etag=self.etag)
            if etag is None:
                # The answer to an earlier renewal may have been lost: then the object is ours, by another ETag.
                found, seen = objects.read_json_with_etag(key(self.table)) or ({}, None)
                if found.get("owner") == self.body["owner"]:
                    etag = objects.write_json_if(key(self.table), self.body, etag=seen)
            if etag is None:
                raise LeaseLostError(
                    f"{self.table}: the lease of run {self.body['run_id']} was taken over or broken while it wrote. "
                    "It commits nothing more: run the step again."
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
                lease.write()
            except LeaseLostError as error:
                lost.append(error)
                return
            except Exception as error:  # S3 is slow or down: the next beat tries again
                print(f"{table}: heartbeat failed: {type(error).__name__}", flush=True)

    thread = threading.Thread(target=beat, name=f"lease-{table}", daemon=True)
    thread.start()
    try:
        lease.outrank()
        yield lease
    finally:
        done.set()
        thread.join()
        if not lost:
            lease.write(held=False)
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
        current, seen = objects.read_json_with_etag(key(table)) or (None, None)
        mine = current is not None and current["owner"] == own["owner"]  # it was taken, but the answer was lost
        if mine or current is None or _may_take(current, run):
            if not mine:
                own |= {"fencing": int(current["fencing"]) + 1 if current else 1, "heartbeat_at": _now().isoformat()}
                own |= {"broken": current["broken"]} if current and "broken" in current else {}
                seen = objects.write_json_if(key(table), own, etag=seen)
            if seen is not None:
                if announced:
                    objects.delete(_waiting_key(table))
                return Lease(table, own, seen, Fence(table))
            continue  # another job was quicker
        if time.monotonic() > give_up:
            raise _busy(table, current)
        if not announced:
            print(f"{table}: waits for {lease_owner.named(current)}", flush=True)
            announced = True
        if not _waiter(table):
            objects.write_json(_waiting_key(table), {"run_id": run.run_id, "step": run.step, "at": _now().isoformat()})
        waiting()
        time.sleep(1)


def _may_take(current: dict[str, Any], run: Run) -> bool:
    """Whether its owner has ended.

    If the owner has our job run's name, it is an earlier attempt of it, and it has ended: EMR Serverless starts an
    attempt only when the one before has ended.
    """
    return bool(run.job and current["job"] == run.job) or lease_owner.standing(current) is Standing.GONE


def _busy(table: str, current: dict[str, Any]) -> TableBusyError:
    owner = f"{table} is being written by {lease_owner.named(current)}, whose last heartbeat was at"
    if lease_owner.standing(current) is Standing.UNKNOWN:
        return TableBusyError(
            f"{owner} {current['heartbeat_at']}. {Standing.UNKNOWN.value.capitalize()}. Nothing was written. Find that "
            f"process and end it; then run `run.py lease.break {table}`, and this step again."
        )
    return TableBusyError(
        f"{owner} {current['heartbeat_at']}. Nothing was written. Sluice will try again; if that job hangs, cancel it."
    )


def _waiter(table: str) -> bool:
    found = objects.read_json(_waiting_key(table))
    return found is not None and _now() - utc(found["at"]) < WAITING


def _waiting_key(table: str) -> str:
    return f"_locks/{table}.waiting.json"


def _now() -> datetime:
    return datetime.now(UTC)
