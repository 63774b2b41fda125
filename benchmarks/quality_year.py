"""What the quality page's summary costs after a year: `python -m benchmarks.quality_year [DAYS [A_DAY]]`.

A table with 23 rules that is judged every 15 minutes: its results and ledger records, an object each, on an S3 that
counts. Seconds and requests of a roll-up after a gate, of the first one of a day, and of a summary that is
built anew; then what the page reads.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import boto3

from benchmarks.log_length import counting_s3, measure
from benchmarks.table_size import enter_new_lake
from dq import roll_up, summary
from infra.local.aws.throw_away import Aws
from jobs.lake import settings, tables
from jobs.lake.state import objects

TABLE = "silver.orders"
RULES = 23
PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


def copies(url: str, key: str, number: int, content: dict[str, object]) -> None:
    """Stores one line of JSON under many keys, `{}` being the number."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=300)
    body = (json.dumps(content) + "\n").encode()
    connection.request("POST", f"/{settings.lake().bucket}/{key}?copies=1-{number}", body)
    connection.getresponse().read()


def fill(url: str, day: date, a_day: int) -> None:
    """A day's results and records."""
    rules = [
        {"severity": "critical", "rule": f"column_{n} match_regex", "expectation": "e", "success": True,
         "kwargs": {"a": 1}, "observed": {"a": 1}, "error": None, "why": "", "examples": []}
        for n in range(RULES)
    ]  # fmt: skip
    run = {"dag_id": "orders_refresh", "run_id": "run", "step": "gate", "job": "job"}
    at = f"{day}T12:00:00+00:00"
    of_rules = {"version": 1, "validated_at": at, "success": True, "evaluated": RULES, "failed": 0, "results": rules}
    copies(url, f"gold/quality/day={day}/orders/{{}}.json", a_day, {"table_name": TABLE, **run, **of_rules})
    counts = {"read": 400, "written": 398, "quarantined": 2, "table_rows": 1}
    content = {"table_name": TABLE, **run, "output_version": 1, "committed_at": at, **counts}
    copies(url, f"ops/run_ledger/day={day}/{TABLE}/{{}}.json", a_day, content)


def main(days: int = 365, a_day: int = 96) -> None:
    """Prints the figures."""
    today, table = datetime.now(UTC).date(), tables.table(TABLE)
    with counting_s3() as url:
        os.environ.update(Aws(url, url).environment())
        enter_new_lake("lake-year")
        for back in range(days - 1, -1, -1):
            fill(url, today - timedelta(days=back), a_day)
        print(f"{days} days, {2 * days * a_day:,} objects of one table")
        seconds, requests = measure(url, lambda: roll_up._one(table, today), turns=1)
        size = len(json.dumps(objects.read_json(summary.key(TABLE))))
        print(f"built anew:            {seconds:6.2f} s {requests:6} requests, {size:,} bytes")
        seconds, requests = measure(url, lambda: roll_up._one(table, today))
        print(f"nothing new:           {seconds:6.2f} s {requests:6} requests")
        key = f"gold/quality/day={today}/orders/{a_day:020d}.json"
        objects.write_json(key.replace(".json", "1.json"), objects.read_json(key))
        seconds, requests = measure(url, lambda: roll_up._one(table, today), turns=1)
        print(f"after a gate:          {seconds:6.2f} s {requests:6} requests")
        seconds, requests = measure(url, lambda: roll_up._one(table, today + timedelta(days=1)), turns=1)
        print(f"first of the next day: {seconds:6.2f} s {requests:6} requests")
        roll_up.write_registry()
        sys.path.append(str(PLUGINS))
        from quality_page.lake import Lake

        page = Lake(boto3.client("s3"), settings.lake().bucket)
        tracemalloc.start()
        begun = time.monotonic()
        page.summaries()
        most = tracemalloc.get_traced_memory()[1] / 1e6
        print(f"the page reads:        {time.monotonic() - begun:6.2f} s, {most:.1f} MB")
        seconds, requests = measure(url, page.summaries)
        print(f"and again:             {seconds:6.2f} s {requests:6} requests")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
