"""The parent that a job run names is the task instance of the provider's own OpenLineage events."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.openlineage.plugins.macros import lineage_parent_id

from sluice_airflow.lineage.parent import lineage_parent

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def context(**other: Any) -> dict[str, Any]:
    dag_run = SimpleNamespace(
        logical_date=other.pop("logical_date", MIDNIGHT), run_after=datetime(2026, 11, 21, tzinfo=UTC)
    )
    known = {"dag_id": "daily", "task_id": "silver.orders", "try_number": 1, "map_index": -1, **other}
    task_instance = SimpleNamespace(**known, get_template_context=lambda: {"dag_run": dag_run})
    return {"ti": task_instance, "dag_run": dag_run}


@pytest.mark.parametrize("other", [{}, {"try_number": 2}, {"logical_date": None}, {"map_index": 3}], ids=str)
def test_it_is_the_one_of_the_providers_events(other: dict[str, Any]) -> None:
    given = context(**other)

    assert lineage_parent(given) == lineage_parent_id(given["ti"])


def test_each_try_is_a_parent_of_its_own() -> None:
    assert lineage_parent(context(try_number=1)) != lineage_parent(context(try_number=2))
