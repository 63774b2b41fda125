"""`ops.run_ledger` and `ops.dq_results` for Athena: views over what is folded and what is not.

Each reads the days before the first open one from the Delta table, and the others from the objects. That day stands in
the view as a literal: so a query lists no folder that was folded, and one update of the Glue entry moves whole days
from the one side to the other. No record is seen twice, and none is missed, whatever was killed between.

A view lies in Glue as Athena writes it: its SQL and Presto's types in base64, and Hive's types beside it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jobs.catalog import ops_tables
from jobs.catalog.catalog import Catalog
from jobs.catalog.ops_tables import JsonTable
from jobs.catalog.record_types import arrow, presto
from jobs.lake.delta import log
from jobs.lake.state import history
from jobs.lake.state.day_folders import COLUMN
from jobs.lake.tables import PLATFORM

OPEN_FROM = "sluice.first_open_day"


def register(catalog: Catalog, table: JsonTable) -> Iterator[str]:
    """Registers the two tables and the view over them; yields a line for each.

    The history is created with its first registration. One that the lake has lost is not made anew: it is told.
    """
    name = history.name(table.name)
    uri = f"s3://{catalog.bucket}/{name.replace('.', '/')}"
    found = log.open_table(uri)
    is_lost = found is None and catalog.has(name, uri)
    if found is not None:
        history.add_columns(found, table.history_schema())
    elif not is_lost:
        history.create(uri, table.history_schema(), table.history_description)
    if line := catalog.register(name, table.history_description, PLATFORM):
        yield line
    yield catalog.put(table.recent, table.table_input(catalog.bucket))
    if not is_lost:
        yield show(catalog, table)


def show(catalog: Catalog, table: JsonTable) -> str:
    """Makes the view take from the history what is folded now; returns what was done.

    The first open day is read after the entry is, which is replaced only if it is still the same: an older day never
    replaces a newer one.
    """
    uri = f"s3://{catalog.bucket}/{history.name(table.name).replace('.', '/')}"
    return catalog.put(table.name, lambda: of(table, history.first_open(uri)))


def hidden(catalog: Catalog, table: JsonTable, since: datetime) -> str:
    """The day before which no query that began after `since` reads objects; empty if that can't be said.

    Args:
        catalog: that has the view.
        table: whose objects these are.
        since: UTC.
    """
    entry = catalog.entry(table.name) or {}
    day = str((entry.get("Parameters") or {}).get(OPEN_FROM, ""))
    changed = entry.get("UpdateTime") or entry.get("CreateTime")
    stands = bool(day) and entry.get("ViewOriginalText") == of(table, day)["ViewOriginalText"]
    return day if stands and changed is not None and changed <= since else ""


def of(table: JsonTable, first_open: str | None) -> dict[str, Any]:
    """The view as an entry of Glue.

    Args:
        table: the records.
        first_open: the first day that is not folded, `YYYY-MM-DD`; None when none is folded.
    """
    day = first_open or ops_tables.FIRST_DAY
    columns = [*table.columns, (COLUMN, "string", table.day)]
    names = ", ".join(f'"{name}"' for name, _, _ in columns)
    sql = (
        f"SELECT {names} FROM {_quoted(history.name(table.name))} WHERE \"{COLUMN}\" < '{day}'\n"  # noqa: S608 - names of the registry, a date
        f"UNION ALL\nSELECT {names} FROM {_quoted(table.recent)} WHERE \"{COLUMN}\" >= '{day}'"
    )
    definition = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": table.name.partition(".")[0],
        "columns": [{"name": name, "type": presto(arrow(type_))} for name, type_, _ in columns],
    }
    return {
        "Name": table.name.partition(".")[2],
        "Description": table.description,
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "Parameters": {"presto_view": "true", "comment": "Presto View", OPEN_FROM: day},
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": type_, "Comment": text} for name, type_, text in columns],
            "Location": "",
            "SerdeInfo": {},
        },
        "ViewOriginalText": f"/* Presto View: {base64.b64encode(json.dumps(definition).encode()).decode()} */",
        "ViewExpandedText": "/* Presto View */",
    }


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))
