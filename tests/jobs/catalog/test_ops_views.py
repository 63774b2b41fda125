"""The views over records: as Athena stores them, with the day that is right at the moment of the update."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from deltalake import DeltaTable

from jobs.catalog import ops_tables, ops_views, record_types
from jobs.catalog.catalog import Catalog
from jobs.lake import settings
from jobs.lake.errors import SchemaContractError
from jobs.lake.state import history

LEDGER, RESULTS = ops_tables.TABLES
HISTORY = "ops.run_ledger_history"


@pytest.fixture
def catalog(lake: str) -> Catalog:
    """An empty catalog: all tests share moto's."""
    glue: Any = boto3.client("glue")
    for database in glue.get_databases()["DatabaseList"]:
        glue.delete_database(Name=database["Name"])
    return Catalog(glue, lake)


def definition(entry: dict[str, Any]) -> dict[str, Any]:
    opened, encoded, closed = entry["ViewOriginalText"].rsplit(" ", 2)
    assert (opened, closed) == ("/* Presto View:", "*/")
    found: dict[str, Any] = json.loads(base64.b64decode(encoded))
    return found


def test_view_is_as_athena_stores_its_own() -> None:
    entry = ops_views.of(RESULTS, "2026-10-01")

    assert (entry["Name"], entry["TableType"]) == ("dq_results", "VIRTUAL_VIEW")
    assert (entry["ViewExpandedText"], entry["Parameters"]["presto_view"]) == ("/* Presto View */", "true")
    stored = definition(entry)
    assert (stored["catalog"], stored["schema"]) == ("awsdatacatalog", "ops")
    columns = {column["name"]: column["type"] for column in stored["columns"]}
    assert columns["evaluated"] == "bigint"
    assert columns["results"] == (
        "array(row(rule varchar, expectation varchar, severity varchar, success boolean, observed varchar, "
        "error varchar, why varchar))"
    )
    assert list(columns)[-1] == "day"
    assert [column["Name"] for column in entry["StorageDescriptor"]["Columns"]] == list(columns)
    assert stored["originalSql"].endswith("""FROM "ops"."dq_results_recent" WHERE "day" >= '2026-10-01'""")
    assert """FROM "ops"."dq_results_history" WHERE "day" < '2026-10-01'\nUNION ALL""" in stored["originalSql"]


@pytest.mark.parametrize(
    ("hive", "presto"),
    [
        ("string", "varchar"),
        ("bigint", "bigint"),
        ("double", "double"),
        ("boolean", "boolean"),
        ("map<string,bigint>", "map(varchar, bigint)"),
        ("array<struct<a:string,b:boolean>>", "array(row(a varchar, b boolean))"),
    ],
)
def test_types_have_their_names_in_presto(hive: str, presto: str) -> None:
    assert record_types.presto(record_types.arrow(hive)) == presto


def test_older_day_never_replaces_a_newer_one(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Glue refuses an update of an entry that has changed; so the day must be asked after the entry was read."""
    order: list[str] = []
    monkeypatch.setattr(history, "first_open", lambda _: order.append("day") or "2026-10-01")
    list(ops_views.register(catalog, LEDGER))
    real = catalog.glue.get_table
    monkeypatch.setattr(catalog.glue, "get_table", lambda **names: order.append(names["Name"]) or real(**names))
    order.clear()

    ops_views.show(catalog, LEDGER)

    assert order == ["run_ledger", "day"]


@pytest.mark.parametrize(
    ("since", "change", "expected"),
    [
        (timedelta(seconds=5), {}, "2026-10-01"),
        (-timedelta(hours=1), {}, ""),
        (timedelta(seconds=5), {"ViewOriginalText": "/* Presto View: e30= */"}, ""),
    ],
    ids=["stands", "was changed since", "is another view"],
)
def test_days_are_hidden_only_by_a_view_that_stood_before(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, since: timedelta, change: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(history, "first_open", lambda _: "2026-10-01")
    list(ops_views.register(catalog, LEDGER))
    catalog.glue.update_table(DatabaseName="ops", TableInput={**ops_views.of(LEDGER, "2026-10-01"), **change})

    assert ops_views.hidden(catalog, LEDGER, datetime.now(UTC) + since) == expected
    assert ops_views.hidden(catalog, RESULTS, datetime.now(UTC) + since) == "", "there is no entry"


def test_history_gets_columns_that_records_have_now(catalog: Catalog) -> None:
    uri = f"s3://{catalog.bucket}/ops/run_ledger_history"
    earlier = ops_tables.JsonTable(LEDGER.name, LEDGER.description, LEDGER.folder, LEDGER.columns[:-2])
    history.create(uri, earlier.history_schema(), "d")

    list(ops_views.register(catalog, LEDGER))

    found = [column["Name"] for column in (catalog.entry(HISTORY) or {})["StorageDescriptor"]["Columns"]]
    assert {name for name, _, _ in LEDGER.columns} <= set(found)
    other = ops_tables.JsonTable(LEDGER.name, LEDGER.description, LEDGER.folder, (("read", "string", "text now"),))
    with pytest.raises(SchemaContractError, match="column read is"):
        history.add_columns(DeltaTable(uri, storage_options=settings.storage_options()), other.history_schema())
