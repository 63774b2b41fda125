"""Terraform is told what the registry has: a new table or DAG has its alarms without a change of Terraform."""

from __future__ import annotations

from pathlib import Path

from infra.provision import registry
from jobs.lake import tables

DAGS = Path(__file__).resolve().parents[3] / "dags"


def test_every_dag_of_the_folder_and_every_pipeline_is_told() -> None:
    facts = registry.facts()
    schedules = [one.schedule.dag_id for one in (*tables.PIPELINES, *tables.UPKEEP)]
    assert set(schedules) < set(facts["dags"])
    # A file is named as its DAG: tests/dags/test_dag_policy.py.
    assert len(facts["dags"]) == len(list(DAGS.glob("*.py")))
    assert facts["pipelines"] == [pipeline.name for pipeline in tables.PIPELINES]
    assert set(facts["layers"]) >= {table.layer for table in tables.every()}


def test_stream_tables_are_those_whose_figures_are_sent() -> None:
    facts = registry.facts()
    assert facts["streamed_tables"] == ["bronze.orders_events"]  # figures go by the table of events, not by its queue
    assert set(facts["watched_tables"]) == {
        "bronze.orders_events", "bronze.orders_dlq", "silver.orders", "gold.dim_customers", "gold.fact_orders",
    }  # fmt: skip
