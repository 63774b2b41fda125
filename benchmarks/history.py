"""What `ops.run_ledger` costs before and after its fold: `python -m benchmarks.history [RECORDS [DAYS]]`.

By default 300,000 records of three years: a daily run of every table, and the rest by a DAG that runs every 15 minutes.
Asked of the local Athena are the runbook's query "A day from source to gold", which reads a week, the count of one old
day, and of all days. Each figure is of one turn: seconds, and requests to S3, which is an object read or a listing of
up to a thousand.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import boto3

from benchmarks.log_length import counting_s3, get
from infra.local.addresses import REPOSITORY
from infra.local.aws import throw_away
from infra.local.aws.athena.catalog import Catalog as AthenaCatalog
from infra.local.aws.athena.parsing import parse
from infra.local.aws.athena.query import Engine
from infra.local.aws.athena.results import of_cursor
from infra.local.aws.throw_away import Aws
from jobs.catalog import ops_tables, ops_views
from jobs.catalog.catalog import Catalog
from jobs.lake import tables
from jobs.lake.run import Run
from jobs.maintenance import history

RECORDS, DAYS = 300_000, 1_095
BUCKET = "lake-history"
LEDGER = ops_tables.TABLES[0]


class GlueCatalog:
    """Glue, as the local Athena asks for it."""

    def __init__(self) -> None:
        self._glue: Any = boto3.client("glue")

    def has_database(self, database: str) -> bool:
        """Whether there is one of this name."""
        return database == "ops"

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's description of a table."""
        found: dict[str, Any] = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        return found


def runbook_query() -> str:
    """The runbook's query of a day from source to gold."""
    blocks = re.findall(r"```sql\n(.*?)```", (REPOSITORY / "docs" / "runbook.md").read_text(), re.DOTALL)
    (found,) = [block for block in blocks if "A day from source to gold" in block]
    return str(found)


def make(url: str, records: int, days: int) -> None:
    """Writes the records of the last days, oldest first."""
    names = [table.name for table in tables.every()]
    rest = records // days - len(names)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(days, 0, -1):
        moment = today - timedelta(days=ago)
        for name in names:
            _put(url, moment, name, "daily_lakehouse", days - ago, 1)
        _put(url, moment, "silver.orders", "orders_refresh", 1_000_000 + (days - ago) * rest, rest)


def _put(url: str, moment: datetime, table: str, dag: str, first: int, number: int) -> None:
    """Writes this number of records of a moment, from this version on."""
    counts = {"read": 100, "written": 90, "unchanged": 10, "superseded": 0, "quarantined": 0, "table_rows": 1000}
    entry = {
        "table_name": table,
        "output_version": "VERSION",
        "committed_at": moment.isoformat(),
        "dag_id": dag,
        "run_id": f"scheduled__{moment:%Y-%m-%dT%H:%M:%S+00:00}",
        "step": table,
        "code": "0123456789ab",
        "seconds": 12.5,
        "bytes_written": 12345,
        "inputs": {"bronze.snowflake_orders": 1},
        "facts": {"source_rows": 100, "source_sum": "1000.00"},
        **counts,
    }
    body = json.dumps(entry).replace('"VERSION"', "{}").encode()
    key = f"{LEDGER.folder}day={moment:%Y-%m-%d}/{table}/{{}}-000000000.json"
    get(url, f"{BUCKET}/{key}?copies={first}-{first + number - 1}", body)


def asked(sql: str) -> list[Any]:
    """A query's rows."""
    with tempfile.TemporaryDirectory() as scratch:
        engine = Engine(cast(AthenaCatalog, GlueCatalog()), Path(scratch))
        return [tuple(row) for row in of_cursor(engine.execute(parse(sql), sql, "ops")).rows]


def measured(url: str, what: str, work: Callable[[], Any]) -> Any:
    """What some work gives; prints its seconds and requests."""
    before, begun = int(get(url, "requests")), time.monotonic()
    found = work()
    took, requests = time.monotonic() - begun, int(get(url, "requests")) - before
    print(f"{what:<52}{took:>10.1f} s{requests:>12,} requests", flush=True)
    return found


def main(records: int = RECORDS, days: int = DAYS) -> int:
    """Prints the figures. Returns 1 if an answer differs after the fold."""
    folder = tempfile.TemporaryDirectory()
    with folder as logs, counting_s3() as url, throw_away.server(Path(logs)) as aws:
        os.environ.update({**Aws(aws.url, url).environment(), "SLUICE_LAKE_BUCKET": BUCKET})
        make(url, records, days)
        first = f"{datetime.now(UTC).date() - timedelta(days=days)}"  # as if there had been releases for so long
        ops_tables.DAYS, ops_tables.FIRST_DAY = f"{first},NOW+1DAYS", first
        catalog = Catalog(boto3.client("glue"), BUCKET)
        for kind in ops_tables.TABLES:
            list(ops_views.register(catalog, kind))
        old = f"{datetime.now(UTC).date() - timedelta(days=days * 2 // 3)}"
        queries = {
            "a day from source to gold": runbook_query(),
            "count of one old day": f"SELECT COUNT(*) FROM ops.run_ledger WHERE day = '{old}'",  # noqa: S608  # a date
            "count of all days": "SELECT table_name, COUNT(*) FROM ops.run_ledger GROUP BY table_name ORDER BY 1",
        }
        answers = {name: measured(url, f"before: {name}", partial(asked, sql)) for name, sql in queries.items()}
        history.LONGEST_QUERY = timedelta(0)  # no query runs
        run = Run("benchmark", "maintenance.fold_history")
        measured(url, f"fold of {records:,} records", lambda: history.fold(run))
        again = {name: measured(url, f"after: {name}", partial(asked, sql)) for name, sql in queries.items()}
        measured(url, "second fold, which deletes the objects", lambda: history.fold(run))
        last = {name: measured(url, f"after both: {name}", partial(asked, sql)) for name, sql in queries.items()}
        measured(url, "fold with nothing to do", lambda: history.fold(run))
    return 0 if answers == again == last else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
