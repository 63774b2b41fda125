"""Backfills the days of a source in several orders, each into its own lake. All must end in the same tables.

`python -m tests.faults.any_order DAYS ORDERS` prints the checksum of silver and gold for each order.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from infra.local.aws import throw_away
from infra.setup import spark_conf
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests import lakes
from tests import spark as test_spark
from tests.jobs.lakehouse import ORDERS, RATES, at, build, land, order, quote, rows, version

FIRST = date(2026, 10, 1)
TABLES = ("silver.orders", "silver.fx_rates", "gold.fact_orders")


def orders_of(days: int, number: int) -> Iterator[tuple[str, list[int]]]:
    """Orders in which to read the days: forward, reversed, then shuffled ones, of which some repeat days."""
    forward = list(range(days))
    yield "in order", forward
    yield "reversed", forward[::-1]
    for seed in range(number - 2):
        chance = random.Random(seed)
        shuffled = [*forward, *chance.sample(forward, days // 3 * (seed % 2))]
        chance.shuffle(shuffled)
        yield f"shuffled {seed}" + (" with repeats" if len(shuffled) > days else ""), shuffled


def changes_of(day: int) -> list[dict[str, Any]]:
    """The source's rows for a day's window: new orders, and earlier ones that changed, some to another month."""
    chance, changed = random.Random(day), []
    for name in {f"O{day}{letter}" for letter in "abc"} | {f"O{d}a" for d in range(day) if chance.random() < 0.5}:
        moment = f"{FIRST + timedelta(days=day)} {chance.randrange(24):02}:{chance.randrange(60):02}:00"
        changed.append(
            order(
                name,
                status=chance.choice(["PLACED", "PAID", "SHIPPED", "LOST"]),  # LOST goes to quarantine
                amount=Decimal(chance.randrange(1, 10_000)) / 100,
                currency=chance.choice(["GBP", "JPY"]),
                order_date=FIRST + timedelta(days=chance.randrange(-20, day + 1)),
                updated_at=at(moment),
            )
        )
    return sorted(changed, key=lambda row: str(row["order_id"]))


def backfill(spark: SparkSession, days: Sequence[int]) -> str:
    """Builds silver from the days in this order, and gold in the middle and at the end; returns the checksum."""
    for number, day in enumerate(days):
        on = FIRST + timedelta(days=day)
        land(spark, ORDERS, f"day-{day:02}", changes_of(day))
        published = f"{on} 15:00:00"
        per_euro = [("USD", "1.1"), ("GBP", f"0.{80 + day}"), ("JPY", f"1{40 + day}.5"), ("EUR", "1")]
        land(spark, RATES, f"day-{day:02}", [quote(str(on), ccy, rate, published) for ccy, rate in per_euro])
        build("silver.orders", f"run-{number}")
        build("silver.fx_rates", f"run-{number}")
        if number in (len(days) // 2, len(days) - 1):
            passed = {name: version(name) for name in ("silver.orders", "silver.fx_rates")}
            gate_verdicts.record_passed(Run(f"run-{number}", "gate"), passed)
            build("gold.fact_orders", f"run-{number}")
    content = {name: rows(name) for name in TABLES}
    assert all(content.values())
    kept_out = sorted((row["raw_row"], row["rule"]) for row in rows("quarantine.orders"))
    return hashlib.sha256(repr([content, kept_out]).encode()).hexdigest()[:16]


def main(days: int, number: int) -> int:
    """Prints one line for each order; exit code 1 when they differ."""
    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        os.environ.update(spark_conf.environment(aws.environment()))
        spark = test_spark.session(aws.s3)
        found = set()
        for name, order_ in orders_of(days, number):
            begun = time.monotonic()
            with lakes.empty(aws.environment()):
                found.add(checksum := backfill(spark, order_))
            print(f"{checksum}  {time.monotonic() - begun:5.0f} s  {name}: {order_}", flush=True)
        spark.stop()
    print(f"{number} orders of {days} days, {len(found)} checksum" + ("s: THEY DIFFER" if len(found) > 1 else ""))
    return 0 if len(found) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
