"""Ledger records and results of gates on days that a test chooses, and queries that ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.catalog import ops_tables
from jobs.lake.state import day_folders, objects, recorded
from tests.infra.local.aws.athena.engine import Athena, GlueCatalog, StoredCatalog

NOW = datetime.now(UTC).replace(hour=10, minute=20, second=30, microsecond=123000)
TODAY = f"{NOW:%Y-%m-%d}"
LEDGER, RESULTS = ops_tables.TABLES
COUNTED = "SELECT output_version, COUNT(*) FROM ops.run_ledger GROUP BY output_version"


def day(ago: int) -> str:
    """The day so many days ago, `YYYY-MM-DD`."""
    return f"{NOW - timedelta(days=ago):%Y-%m-%d}"


def record(version: int, ago: int, table: str = "silver.orders", **other: Any) -> str:
    """Writes the ledger's record of a commit that was made so many days ago; returns its key."""
    time = NOW - timedelta(days=ago)
    entry = {
        "table_name": table,
        "output_version": version,
        "committed_at": time,
        "dag_id": "daily_lakehouse",
        "run_id": f"scheduled__{time:%Y-%m-%d}",
        "read": version,
        "written": version,
        "seconds": 1.5,
        "inputs": {"bronze.snowflake_orders": version},
        "facts": {"no column": "has this"},
        **other,
    }
    key = recorded.key_of(table, version, time)
    objects.write_json(key, entry)
    return key


def result(number: int, ago: int, **other: Any) -> str:
    """Writes the result of a gate; returns its key."""
    time = NOW - timedelta(days=ago)
    judgement = {"rule": "r", "expectation": "e", "kwargs": {"column": "x"}, "severity": "critical", "success": True}
    entry = {
        "table_name": "silver.orders",
        "validated_at": time,
        "evaluated": number,
        "failed": 0,
        "success": True,
        "version": None,
        "results": [{**judgement, "observed": {"rows": number, "bad": 0}, "error": None, "why": None}],
        **other,
    }
    key = f"gold/quality/{day_folders.of(time)}/orders/{time:%Y%m%d}_{number:06d}.json"
    objects.write_json(key, entry)
    return key


def ask(scratch: Path, sql: str, catalog: StoredCatalog | None = None) -> list[Sequence[str | None]]:
    """A query's rows, sorted; over the catalog as it is now, unless an earlier one is given."""
    folder = scratch / str(len(list(scratch.iterdir())))
    folder.mkdir()
    return sorted(Athena(folder, catalog or GlueCatalog()).rows(sql), key=str)
