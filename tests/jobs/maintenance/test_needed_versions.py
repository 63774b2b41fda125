"""Which old versions are still needed: by who has read them, by the gate, by rows that it has not judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import Counts
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from jobs.lake.state.gate_verdicts import Passed
from jobs.maintenance import needed_versions
from tests.jobs.lakehouse import ORDERS, order, put, silver_order, version

SILVER, RATES, FACTS, CUSTOMERS = "silver.orders", "silver.fx_rates", "gold.fact_orders", "gold.dim_customers"
QUARANTINE = "quarantine.orders"

pytestmark = pytest.mark.usefixtures("lake")


def identity(table: str) -> str:
    found = log.table_id(settings.lake().uri(table))
    assert found
    return found


def read(reader: str, inputs: Mapping[str, int], **other: Any) -> int:
    """A commit of a step that has read these versions."""
    ids = {name: identity(name) for name in inputs if log.table_id(settings.lake().uri(name))}
    return put(reader, [], step=reader, inputs=dict(inputs), input_ids=ids, counts=vars(Counts(0)), **other)


def passed(table: str, at: int, table_id: str = "") -> None:
    gate_verdicts.keep_last_passed(table, Passed(at, table_id or identity(table), "suite", "2026-10-01T00:00:00+00:00"))


def needed(table: str) -> set[int]:
    return {need.version for need in needed_versions.of(table)}


def versions(table: str, number: int = 4) -> None:
    row = order("O1") if table == ORDERS else silver_order("O1")
    for _ in range(number):
        put(table, [row])


def test_table_that_nobody_has_read_has_none() -> None:
    versions(ORDERS)

    assert needed(ORDERS) == set()


def test_version_that_each_readers_newest_commit_has_read_is_needed() -> None:
    versions(SILVER)
    read(FACTS, {SILVER: 1})
    read(FACTS, {SILVER: 2})
    read(CUSTOMERS, {SILVER: 3})

    assert needed(SILVER) == {2, 3}


def test_housekeeping_of_the_reader_hides_nothing() -> None:
    versions(ORDERS)
    read(SILVER, {ORDERS: 2})
    put(SILVER, [], step="maintenance.optimize_vacuum", housekeeping={"vacuum_files": 1})

    assert needed(ORDERS) == {2}


def test_version_of_a_table_that_was_created_again_is_not_needed() -> None:
    versions(SILVER)
    put(FACTS, [], step=FACTS, inputs={SILVER: 1}, input_ids={SILVER: "another"}, counts=vars(Counts(0)))
    passed(SILVER, 2, table_id="another")

    assert needed(SILVER) == set()


def test_version_that_passed_the_gate_last_is_needed_for_its_changes_alone() -> None:
    versions(SILVER)
    passed(SILVER, 2)

    (need,) = needed_versions.of(SILVER)
    assert (need.version, need.as_changes) == (2, True)


def test_versions_from_which_rows_came_that_the_gate_has_not_judged_are_needed() -> None:
    versions(ORDERS, 6)
    read(SILVER, {ORDERS: 1}, since={ORDERS: 0})
    passed(SILVER, version(SILVER))
    read(SILVER, {ORDERS: 3}, since={ORDERS: 2})
    read(SILVER, {ORDERS: 5}, since={ORDERS: 3})

    assert needed(ORDERS) == {2, 3, 5}


def test_versions_that_the_gate_passed_are_needed_until_gold_is_published() -> None:
    versions(SILVER)
    dag = Run("r1", "gate", "daily_lakehouse")
    gate_verdicts.record_passed(dag, {SILVER: 2})
    gate_verdicts.record_passed(Run("r2", "gate", "another_dag"), {SILVER: 1})
    read(CUSTOMERS, {SILVER: 3})
    assert needed(SILVER) == {2, 3}

    read(FACTS, {SILVER: 3})

    assert needed(SILVER) == {3}


def test_quarantines_version_that_belongs_to_silver_is_needed() -> None:
    put(SILVER, [], step=SILVER, quarantine_version=4, counts=vars(Counts(0)))
    passed(SILVER, version(SILVER))
    put(SILVER, [], step=SILVER, quarantine_version=6, counts=vars(Counts(0)))
    put(SILVER, [], step=SILVER, quarantine_version=7, counts=vars(Counts(0)))

    assert needed(QUARANTINE) == {6, 7}
