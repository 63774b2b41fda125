"""Random turns against an oracle: whatever happens to bronze and silver, silver is what bronze gives.

After each turn `silver.orders` and its quarantine must be what a plain Python function makes of bronze as it is now,
and the counts must add up. `python -m tests.faults.silver_turns TURNS SEED` plays many turns, and prints each.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from dq import conservation, suite
from jobs.lake import difference, settings
from jobs.lake.delta import log
from jobs.lake.run import Run
from jobs.lake.state import objects
from tests.faults import own_lake
from tests.jobs.lakehouse import EVENTS, ORDERS, at, build, killed_at, land, order, order_event, rows, version

SILVER, QUARANTINE = "silver.orders", "quarantine.orders"
KEYS = 6  # few keys and few times: ties and corrections are the rule
TIMES = [at(f"2026-10-01 0{hour}:00:00") for hour in range(4)]
READ = at("2026-10-02")
Row = dict[str, Any]


@dataclass
class Scene:
    """The lake in play.

    Attributes:
        spark: the session.
        chance: decides everything.
        told: what happened, for the message of a failure.
    """

    spark: SparkSession
    chance: random.Random
    told: list[str] = field(default_factory=list)
    _clock: int = 0
    _runs: int = 0
    _offset: int = 0

    def turn(self) -> None:
        """Something happens, and silver is built again; raises AssertionError if it is not what bronze gives."""
        happenings: Mapping[Callable[[], str], int] = {
            self.new_batch: 6, self.replaced_batch: 5, self.emptied_batch: 2, self.events: 5, self.restored: 2,
            self.erased: 2, self.dropped: 1, self.silver_restored: 2, self.silver_dropped: 1, self.nothing: 2,
        }  # fmt: skip
        for _ in range(self.chance.choice((1, 1, 2))):
            (happens,) = self.chance.choices(list(happenings), list(happenings.values()))
            self.told.append(happens())
        self.build()
        self.check()

    def build(self) -> None:
        """Builds silver, sometimes all of it, sometimes after a kill."""
        self._runs += 1
        # Anything may be lost here: only the rule against great losses would refuse it.
        options = {"full_refresh": self.chance.random() < 0.2, "accept": ("fewer_rows",)}
        if self.chance.random() < 0.15:
            self.told.append("kill")
            with killed_at(difference, "commit"):
                build(SILVER, f"run-{self._runs}", **options)
        self.told.append("full refresh" if options["full_refresh"] else "build")
        build(SILVER, f"run-{self._runs}", **options)

    def check(self) -> None:
        """Compares silver and quarantine with the oracle, and judges the counts."""
        bronze = [(name, row) for name in (ORDERS, EVENTS) if log.version(_uri(name)) for row in rows(name)]
        wanted = oracle(bronze)
        found = {row["order_id"]: (row["updated_at"], row["source"], row["amount"]) for row in rows(SILVER)}
        assert found == {name: _state(row) for name, row in wanted.items()}, "\n".join(self.told)
        bad = sorted((name, row["_batch_id"]) for name, row in bronze if is_bad(row))
        kept = rows(QUARANTINE) if log.version(_uri(QUARANTINE)) is not None else []
        assert sorted((row["source_table"], row["batch_id"]) for row in kept) == bad, "\n".join(self.told)
        judged = conservation.judge(suite.load(SILVER), version(SILVER), None, Run(f"run-{self._runs}", "gate"))
        assert judged[0].success, f"{judged[0].observed}\n" + "\n".join(self.told)

    def new_batch(self) -> str:
        return self._land(f"b{len(self._batches()):03}")

    def replaced_batch(self) -> str:
        return self._land(self.chance.choice(self._batches() or ["b000"]))

    def emptied_batch(self) -> str:
        return self._land(self.chance.choice(self._batches() or ["b000"]), most=0)

    def events(self) -> str:
        landed = []
        for _ in range(self.chance.randrange(1, 6)):
            self._offset += 1
            where = {"partition": self.chance.randrange(2), "offset": self._offset, "timestamp": self._time()}
            landed.append({**order_event(self._key(), **self._values()), "event_timestamp": self._time(), **where})
        batch = f"orders-{self._offset:012}"
        land(self.spark, EVENTS, batch, [{**row, "_ingested_at": self._read()} for row in landed])
        return f"{EVENTS} {batch}: " + ", ".join(_shown(row) for row in landed)

    def restored(self) -> str:
        return self._restore(self.chance.choice((ORDERS, EVENTS)))

    def silver_restored(self) -> str:
        return self._restore(SILVER)

    def erased(self) -> str:
        name, key = self.chance.choice((ORDERS, EVENTS)), self._key()
        if log.version(_uri(name)) is None:
            return f"no {name} yet"
        DeltaTable.forPath(self.spark, _uri(name)).delete(F.col("order_id") == key)
        return f"{name}: {key} is erased by hand"

    def dropped(self) -> str:
        """A bronze table is dropped and begun again."""
        objects.delete_prefix("bronze/snowflake_orders/")
        return f"{ORDERS} is dropped. {self._land('b000')}"

    def silver_dropped(self) -> str:
        for name in (SILVER, QUARANTINE):
            objects.delete_prefix(f"{name.replace('.', '/')}/")
        return "silver and its quarantine are dropped"

    def nothing(self) -> str:
        return "nothing new"

    def _land(self, batch: str, most: int = 6) -> str:
        read = self._read()
        # One read has one row of an order and a time: between two, only the hash of their content could decide.
        states = {(self._key(), self._time()) for _ in range(self.chance.randrange(most + 1) if most else 0)}
        landed = [order(key, **self._values(), updated_at=moment, _ingested_at=read) for key, moment in sorted(states)]
        land(self.spark, ORDERS, batch, landed)
        return f"{ORDERS} {batch}: " + ", ".join(_shown(row) for row in landed)

    def _restore(self, name: str) -> str:
        newest = log.version(_uri(name))
        if not newest:
            return f"no {name} yet"
        to = self.chance.randrange(max(1, newest - 4), newest + 1)
        DeltaTable.forPath(self.spark, _uri(name)).restoreToVersion(to)
        return f"{name} goes back from {newest} to {to}"

    def _batches(self) -> list[str]:
        known = {c.record.batch_id for c in log.commits(_uri(ORDERS)) if c.record and c.record.batch_id}
        return sorted(known)

    def _key(self) -> str:
        return f"O{self.chance.randrange(KEYS)}"

    def _time(self) -> datetime:
        return self.chance.choice(TIMES)

    def _values(self) -> Row:
        month = date(2026, self.chance.choice((9, 10)), 1)
        amount = self.chance.choice([Decimal(n) for n in range(1, 5)] + [Decimal(-1)])  # -1 breaks a rule
        return {"amount": amount, "order_date": month}

    def _read(self) -> datetime:
        self._clock += 1
        return READ + timedelta(seconds=self._clock)


def oracle(bronze: list[tuple[str, Row]]) -> dict[str, Row]:
    """The newest good row of each order: by its time, by Kafka's order, then by when it was read."""
    wanted: dict[str, Row] = {}
    for name, row in bronze:
        if is_bad(row):
            continue
        candidate = {**row, "_name": name}
        held = wanted.get(row["order_id"])
        if held is None or _order(held) < _order(candidate):
            wanted[row["order_id"]] = candidate
    return wanted


def is_bad(row: Row) -> bool:
    """Whether the row breaks the only rule that the turns break."""
    return bool(row["amount"] < 0)


def _order(row: Row) -> tuple[Any, ...]:
    events = row["_name"] == EVENTS
    position = (1, row["timestamp"], row["partition"], row["offset"]) if events else (0,)
    return (row["event_timestamp"] if events else row["updated_at"], position, row["_ingested_at"])


def _state(row: Row) -> tuple[Any, ...]:
    events = row["_name"] == EVENTS
    return (row["event_timestamp"] if events else row["updated_at"], "kafka" if events else "snowflake", row["amount"])


def _shown(row: Row) -> str:
    moment = row.get("updated_at") or row["event_timestamp"]
    return f"{row['order_id']} {row['amount']} at {moment:%H} of {row['order_date']:%m}"


def _uri(name: str) -> str:
    return settings.lake().uri(name)


def play(spark: SparkSession, turns: int, seed: int, *, tell: bool = False) -> None:
    """Plays the turns in the present lake."""
    scene = Scene(spark, random.Random(seed))
    print(scene.new_batch())
    for number in range(turns):
        told = len(scene.told)
        scene.turn()
        if tell:
            print(f"{number + 1}: {'; '.join(scene.told[told:])}", flush=True)


if __name__ == "__main__":
    with own_lake.empty() as session:
        play(session, int(sys.argv[1]), int(sys.argv[2]), tell=True)
