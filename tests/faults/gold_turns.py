"""Random turns against an oracle: whatever happens to silver and gold, gold is what its gated inputs give.

After each turn both gold tables must be what plain Python makes of the silver versions that the gate passed.
`python -m tests.faults.gold_turns TURNS SEED` plays many turns, and prints each.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from jobs.lake import difference, settings
from jobs.lake.delta import log
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, objects
from tests.faults import own_lake
from tests.jobs.lakehouse import at, build, change, killed_at, quoted_rate, rows, silver_account, silver_order, version

ORDERS, RATES, ACCOUNTS = "silver.orders", "silver.fx_rates", "silver.salesforce_accounts"
FACTS, CUSTOMERS = "gold.fact_orders", "gold.dim_customers"
FIRST = date(2026, 9, 28)
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
    _runs: int = 0

    def turn(self) -> None:
        """Something happens, and gold is published; raises AssertionError if it is not what silver gives."""
        happenings: Mapping[Callable[[], str], int] = {
            self.orders: 6, self.rates: 5, self.accounts: 4, self.restored: 2, self.silver_dropped: 1,
            self.gold_changed: 2, self.gold_restored: 2, self.gold_dropped: 1, self.nothing: 1,
        }  # fmt: skip
        for _ in range(self.chance.choice((1, 1, 2))):
            (happens,) = self.chance.choices(list(happenings), list(happenings.values()))
            self.told.append(happens())
        self.publish()
        self.check()

    def publish(self) -> None:
        """Publishes both tables from the newest silver, sometimes all of it, sometimes after a kill."""
        self._runs += 1
        run_id, whole = f"run-{self._runs}", self.chance.random() < 0.15
        gate_verdicts.record_passed(Run(run_id, "gate"), {name: version(name) for name in (ORDERS, RATES, ACCOUNTS)})
        for table in (FACTS, CUSTOMERS):
            if self.chance.random() < 0.15:
                self.told.append(f"kill of {table}")
                with killed_at(difference, "commit"):
                    build(table, run_id, full_refresh=whole)
            build(table, run_id, full_refresh=whole)
        self.told.append("full refresh" if whole else "publish")

    def check(self) -> None:
        """Compares both tables with the oracle."""
        silver = {name: rows(name) for name in (ORDERS, RATES, ACCOUNTS)}
        found = {
            row["order_id"]: (
                row["amount_native"], row["amount_usd"], row["fx_as_of_date"], row["fx_reason"], row["customer_id"],
            )
            for row in rows(FACTS)
        }  # fmt: skip
        assert found == facts(silver), "\n".join(self.told)
        assert {row["id"]: row["salesforce_id"] for row in rows(CUSTOMERS)} == customers(silver), "\n".join(self.told)

    def orders(self) -> str:
        some = {f"O{self.chance.randrange(8)}" for _ in range(self.chance.randrange(1, 4))}
        changed = [
            silver_order(
                name,
                customer_id=f"C{self.chance.randrange(5)}",
                currency=self.chance.choice(("EUR", "USD", "JPY", "HRK", "XXX")),
                amount=Decimal(self.chance.randrange(1, 9_999)) / 100,
                order_date=FIRST + timedelta(days=self.chance.randrange(7)),
            )
            for name in sorted(some)
        ]
        gone = [name for name in sorted(some) if self.chance.random() < 0.3]
        change(ORDERS, changed, gone)
        return f"{ORDERS}: {', '.join(sorted(some))}; gone: {', '.join(gone)}"

    def rates(self) -> str:
        changed = [
            {
                **quoted_rate(
                    str(FIRST + timedelta(days=self.chance.randrange(-12, 7))),
                    ccy,
                    Decimal(1) if ccy == "EUR" else Decimal(self.chance.randrange(50, 300)) / 100,
                    Decimal(self.chance.randrange(1, 300)) / 100,
                ),
                "published_at": at("2026-10-09"),
                "is_withdrawn": self.chance.random() < 0.3,
            }
            for ccy in self.chance.sample(("EUR", "USD", "JPY"), self.chance.randrange(1, 3))
        ]
        for row in changed:
            if self.chance.random() < 0.3:  # as an earlier release wrote it
                row |= {"per_euro": None, "usd_per_euro": None}
        change(RATES, changed)
        return f"{RATES}: " + ", ".join(
            f"{row['ccy']} of {row['as_of_date']:%d}{' withdrawn' * row['is_withdrawn']}" for row in changed
        )

    def accounts(self) -> str:
        name = f"00100000000000{self.chance.randrange(5)}AAA"
        number = self.chance.choice((None, *(f"C{n}" for n in range(5))))
        changed = silver_account(
            name,
            account_number=number,
            is_deleted=self.chance.random() < 0.3,
            system_modstamp=at(f"2026-10-0{self.chance.randrange(1, 4)}"),
        )
        gone = [name] if self.chance.random() < 0.2 else []
        change(ACCOUNTS, [changed], gone)
        return f"{ACCOUNTS}: {name} has {number}; gone: {gone}"

    def restored(self) -> str:
        return self._restore(self.chance.choice((ORDERS, RATES, ACCOUNTS)))

    def gold_restored(self) -> str:
        return self._restore(self.chance.choice((FACTS, CUSTOMERS)))

    def silver_dropped(self) -> str:
        """A silver table is dropped and built again, so that its versions count from 0."""
        name = self.chance.choice((ORDERS, RATES, ACCOUNTS))
        content = rows(name)
        objects.delete_prefix(f"{name.replace('.', '/')}/")
        change(name, content)
        return f"{name} is dropped and built again"

    def gold_dropped(self) -> str:
        name = self.chance.choice((FACTS, CUSTOMERS))
        objects.delete_prefix(f"{name.replace('.', '/')}/")
        return f"{name} is dropped"

    def gold_changed(self) -> str:
        """A person changes gold by hand."""
        name = self.chance.choice((FACTS, CUSTOMERS))
        if log.version(settings.lake().uri(name)) is None:
            return f"no {name} yet"
        table = DeltaTable.forPath(self.spark, settings.lake().uri(name))
        if self.chance.random() < 0.5:
            table.delete(f"{'order_id' if name == FACTS else 'id'} LIKE '%{self.chance.randrange(5)}'")
        elif name == FACTS:
            table.update(set={"amount_usd": "1"})
        else:
            table.update(set={"salesforce_id": "'by hand'"})
        return f"{name} is changed by hand"

    def nothing(self) -> str:
        return "nothing new"

    def _restore(self, name: str) -> str:
        newest = log.version(settings.lake().uri(name))
        if not newest:
            return f"no {name} yet"
        # Version 0 has no rows and no history; a log with one commit more is what a table begins with.
        to = self.chance.randrange(max(1, newest - 4), newest + 1)
        DeltaTable.forPath(self.spark, settings.lake().uri(name)).restoreToVersion(to)
        return f"{name} goes back from {newest} to {to}"


def facts(silver: Mapping[str, list[Row]]) -> dict[str, tuple[Any, ...]]:
    """Each order at the newest rate of its currency that ECB has not withdrawn, on or before its day."""
    return {order["order_id"]: _fact(order, silver[RATES]) for order in silver[ORDERS]}


def _fact(order: Row, rates: list[Row]) -> tuple[Any, ...]:
    fixed = Fraction("7.53450") if order["currency"] == "HRK" else None  # the kuna, replaced in 2023
    quoted = "EUR" if fixed else order["currency"]
    usable = [
        rate
        for rate in rates
        if rate["ccy"] == quoted and not rate["is_withdrawn"] and rate["as_of_date"] <= order["order_date"]
    ]
    rate = max(usable, key=lambda row: row["as_of_date"], default=None)
    counts = rate and (order["order_date"] - rate["as_of_date"]).days <= 10
    dollars, day = None, None
    reason = "rate_too_old" if rate else "no_rate"
    if rate and counts:
        known = rate["per_euro"] is not None
        value = Fraction(rate["usd_per_euro"]) / Fraction(rate["per_euro"]) if known else Fraction(rate["usd_rate"])
        cents = Fraction(order["amount"]) * 100 * value / (fixed or 1)
        dollars, day, reason = Decimal(floor(cents + Fraction(1, 2))) / 100, rate["as_of_date"], None
    if order["currency"] == "USD":
        dollars, reason = order["amount"], None
    return order["amount"], dollars, day, reason, order["customer_id"]


def customers(silver: Mapping[str, list[Row]]) -> dict[str, str | None]:
    """Each account number, and the record behind it; None for one that only orders have."""
    found: dict[str, str | None] = {order["customer_id"]: None for order in silver[ORDERS]}

    def wins(account: Row) -> tuple[bool, datetime, str]:
        return (not account["is_deleted"], account["system_modstamp"], account["id"])

    for account in sorted(silver[ACCOUNTS], key=wins):
        if account["account_number"] is not None:
            found[account["account_number"]] = account["id"]
    return found


def play(spark: SparkSession, turns: int, seed: int, *, tell: bool = False) -> None:
    """Plays the turns in the present lake."""
    scene = Scene(spark, random.Random(seed))
    change(ORDERS, [silver_order("base")])  # this one stays: gold refuses to be empty
    for begin in (scene.rates, scene.accounts):
        scene.told.append(begin())
    for number in range(turns):
        told = len(scene.told)
        scene.turn()
        if tell:
            print(f"{number + 1}: {'; '.join(scene.told[told:])}", flush=True)


if __name__ == "__main__":
    with own_lake.empty() as session:
        play(session, int(sys.argv[1]), int(sys.argv[2]), tell=True)
