"""What tests of the fold have in common: one catalog, and mostly one kind of records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from jobs.catalog import ops_tables
from jobs.maintenance import history as fold_history
from tests.jobs.maintenance.history.records import LEDGER


@pytest.fixture(autouse=True)
def glue(lake: str) -> Any:
    """An empty catalog: all tests share moto's."""
    client: Any = boto3.client("glue")
    for database in client.get_databases()["DatabaseList"]:
        client.delete_database(Name=database["Name"])
    return client


@pytest.fixture(autouse=True)
def ledger_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One kind of records, which halves the time; a test that is about both says so."""
    if "both_kinds" not in request.fixturenames:
        monkeypatch.setattr(ops_tables, "TABLES", (LEDGER,))


@pytest.fixture
def both_kinds() -> None:
    """The ledger's records and the gates' results."""


@pytest.fixture
def no_query_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query that began before the run before has ended."""
    monkeypatch.setattr(fold_history, "LONGEST_QUERY", timedelta(0))
