"""Owners of one table take, stall, commit and end in any order, while people break, delete and put back its lease.

`python -m tests.faults.any_owner SEEDS` plays many such lives.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from deltalake import CommitProperties, write_deltalake

from infra.local.aws import throw_away
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import LeaseLostError, TableBusyError
from jobs.lake.run import Run
from jobs.lake.state import lease_owner, leases, objects
from tests import lakes

TABLE, FOLDER = "silver.orders", "silver/orders/"
PERSON = Run("manual__1", "lease.break")
DEEDS = {"take": 6, "commit": 8, "end": 2, "kill": 2, "break": 3, "delete": 1, "put_back": 2, "restore": 1, "drop": 1}


class Life:
    """One table, its lease, and whoever wants to write.

    Attributes:
        numbers: fencing numbers of the table's commits, oldest first, since it was last dropped.
        told: what happened.
    """

    def __init__(self, seed: int, patch: pytest.MonkeyPatch) -> None:
        self._random, self._patch = random.Random(seed), patch
        self._owners: list[tuple[ExitStack, leases.Lease]] = []
        self._live: set[str] = set()
        self._earlier: list[bytes] = []
        self.numbers: list[int] = []
        self.told: list[str] = []
        real = boto3.client
        patch.setattr(leases, "PATIENCE", timedelta(0))
        patch.setattr(leases, "HEARTBEAT", timedelta(hours=1))
        patch.setattr(boto3, "client", lambda name: self if name == "emr-serverless" else real(name))
        patch.setenv("SLUICE_EMR_APPLICATION_ID", "app")

    def get_paginator(self, _: str) -> Life:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"jobRuns": [{"name": name} for name in self._live]}]

    def play(self, steps: int) -> None:
        """Plays so many deeds, and then sees that a new writer gets the table and commits."""
        for _ in range(steps):
            self._silence(self._random.random() < 0.5)
            (deed,) = self._random.choices(list(DEEDS), weights=list(DEEDS.values()))
            self.told.append(deed)
            getattr(self, f"_{deed}")()
            if lease := _lease():
                self._earlier.append(lease)
        self._live.clear()
        self._silence(True)
        self._break()
        assert self._take(), "nobody can write any more"
        assert self._commit(-1), "the last owner can't commit"
        while self._owners:
            self._end()

    def _silence(self, silent: bool) -> None:
        """Whether every owner has been silent for long."""
        self._patch.setattr(lease_owner, "STALE", timedelta(0) if silent else timedelta(hours=1))

    def _take(self) -> bool:
        number = len(self.told)
        job = f"job-{number}" if self._random.random() < 0.5 else ""
        stack = ExitStack()
        try:
            lease = stack.enter_context(leases.hold(Run(f"run-{number}", TABLE, job=job), TABLE))[TABLE]
        except TableBusyError:
            return False
        self._owners.append((stack, lease))
        self._live |= {job} - {""}
        return True

    def _commit(self, which: int | None = None) -> bool:
        """Some owner commits, whether it still has the lease or not, as a writer would."""
        if not self._owners:
            return False
        _, lease = self._random.choice(self._owners) if which is None else self._owners[which]
        try:
            lease.renew()
        except LeaseLostError:
            return False
        record = CommitRecord(run_id=lease.body["run_id"], step=TABLE, fencing=lease.fencing)
        properties = CommitProperties(custom_metadata={"userMetadata": record.to_json()})
        write_deltalake(
            settings.lake().uri(TABLE), pa.table({"n": [lease.fencing]}), mode="append",
            storage_options=settings.storage_options(), commit_properties=properties,
        )  # fmt: skip
        self.numbers.append(lease.fencing)
        assert self.numbers == sorted(self.numbers), f"a commit with a lower number: {self.numbers}"
        return True

    def _end(self) -> None:
        """An owner is done, and gives the lease back if it still has it."""
        if self._owners:
            stack, lease = self._owners.pop(0)
            self._live.discard(lease.body["job"])
            try:
                stack.close()
            except LeaseLostError:
                self.told.append("lost")

    def _kill(self) -> None:
        """A job run ends without a word; its process may go on for a while."""
        if self._live:
            self._live.discard(self._random.choice(sorted(self._live)))

    def _break(self) -> None:
        found = objects.read_json_with_etag(lease_owner.key(TABLE))
        try:
            if found:
                lease_owner.break_lease(PERSON, TABLE, *found)
        except TableBusyError:
            self.told.append("refused")

    def _delete(self) -> None:
        objects.delete(lease_owner.key(TABLE))

    def _put_back(self) -> None:
        """A person restores an earlier version of the lease's object."""
        if self._earlier:
            objects.write(lease_owner.key(TABLE), self._random.choice(self._earlier))

    def _restore(self) -> None:
        table = log.open_table(settings.lake().uri(TABLE))
        if table and table.version():
            table.restore(self._random.randrange(table.version()))

    def _drop(self) -> None:
        objects.delete_prefix(FOLDER)
        self.numbers = []


def _lease() -> bytes | None:
    found = objects.keys(lease_owner.key(TABLE))
    return objects.read(found[0]) if found else None


def main(seeds: int) -> None:
    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        os.environ.update(aws.environment())
        for seed in range(seeds):
            with lakes.empty(aws.environment()), pytest.MonkeyPatch.context() as patch:
                life = Life(seed, patch)
                try:
                    life.play(30)
                except BaseException:
                    print(seed, life.told, file=sys.stderr)
                    raise
    print(f"{seeds} lives, no commit with a lower number, and no table that nobody can write")


if __name__ == "__main__":
    main(int(sys.argv[1]))
