"""The fold, and what is folded and what is left."""

from __future__ import annotations

from typing import Any

import boto3

from jobs import run as run_py
from jobs.catalog import register_glue_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.run import Run
from jobs.lake.state import history, objects
from tests.jobs.maintenance.history.records import LEDGER

TABLE = "silver.orders"
HISTORY = history.name(LEDGER.name)


def register(lake: str) -> list[str]:
    return register_glue_tables.register_layers(Catalog(boto3.client("glue"), lake), ("ops",), tables.every())


def fold(**options: Any) -> None:
    run_py.perform(Run("weekly", "maintenance.fold_history", "weekly_housekeeping", **options))


def folded() -> list[str]:
    """The days of the ledger's history."""
    return sorted(set(log.dataset(settings.lake().uri(HISTORY)).to_table(columns=["day"])["day"].to_pylist()))


def once(*versions: int) -> list[list[str]]:
    """The answer of `COUNTED` if each record is there once."""
    return sorted([[str(version), "1"] for version in versions], key=str)


def left(folder: str = LEDGER.folder) -> list[str]:
    return objects.keys(folder)
