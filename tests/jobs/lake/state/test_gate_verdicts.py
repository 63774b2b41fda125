"""The gate's verdict, by run."""

from __future__ import annotations

import pytest

from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts

RUN = Run("scheduled__2026-10-01T00:00:00+00:00", "gold.fact_orders")


def test_passed_versions_are_found_by_the_same_run_only(lake: str) -> None:
    gate_verdicts.record_passed(RUN, {"silver.orders": 7, "silver.fx_rates": 3})

    assert gate_verdicts.passed_versions(RUN, ("silver.orders",)) == {"silver.orders": 7}
    with pytest.raises(GateError, match=r"silver\.orders in run by_hand other"):
        gate_verdicts.passed_versions(Run("other", "gold.fact_orders"), ("silver.orders",))


def test_table_that_did_not_pass_is_named(lake: str) -> None:
    gate_verdicts.record_passed(RUN, {"silver.orders": 7})

    with pytest.raises(GateError, match=r"passed no version of silver\.fx_rates in run"):
        gate_verdicts.passed_versions(RUN, ("silver.orders", "silver.fx_rates"))


def test_refusal_takes_back_what_an_earlier_attempt_passed(lake: str) -> None:
    gate_verdicts.record_passed(RUN, {"silver.orders": 7})
    gate_verdicts.take_back(RUN)

    with pytest.raises(GateError):
        gate_verdicts.passed_versions(RUN, ("silver.orders",))


RUNS = [
    Run(run_id, "gate", dag_id=dag_id)
    for dag_id in ("daily_lakehouse", "orders_refresh", "daily/lakehouse", "daily_lakehouse/a")
    for run_id in (
        "scheduled__2026-10-01T00:00:00+00:00",
        "scheduled__2026-10-01T00_00_00_00_00",
        "a~b",
        "a:b",
        "a/b",
        "b",
    )
]


def test_verdicts_of_two_runs_never_mix(lake: str) -> None:
    """Airflow gives the same run id to runs of different DAGs, and ids may hold any character."""
    for number, run in enumerate(RUNS):
        gate_verdicts.record_passed(run, {"silver.orders": number})

    found = [gate_verdicts.passed_versions(run, ("silver.orders",))["silver.orders"] for run in RUNS]

    assert found == list(range(len(RUNS)))
    gate_verdicts.take_back(RUNS[0])
    with pytest.raises(GateError):
        gate_verdicts.passed_versions(RUNS[0], ("silver.orders",))
    assert gate_verdicts.passed_versions(RUNS[1], ("silver.orders",)) == {"silver.orders": 1}
