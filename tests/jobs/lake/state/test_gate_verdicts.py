"""The gate's verdict, by run."""

from __future__ import annotations

import pytest

from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts

RUN = Run("scheduled__2026-10-01T00:00:00+00:00", "gold.fact_orders")


def test_passed_versions_are_found_by_the_same_run_only(lake: str) -> None:
    gate_verdicts.passed(RUN, {"silver.orders": 7, "silver.fx_rates": 3})

    assert gate_verdicts.versions(RUN, ("silver.orders",)) == {"silver.orders": 7}
    with pytest.raises(GateError, match=r"silver\.orders in run other"):
        gate_verdicts.versions(Run("other", "gold.fact_orders"), ("silver.orders",))


def test_table_that_did_not_pass_is_named(lake: str) -> None:
    gate_verdicts.passed(RUN, {"silver.orders": 7})

    with pytest.raises(GateError, match=r"passed no version of silver\.fx_rates in run"):
        gate_verdicts.versions(RUN, ("silver.orders", "silver.fx_rates"))


def test_refusal_takes_back_what_an_earlier_attempt_passed(lake: str) -> None:
    gate_verdicts.passed(RUN, {"silver.orders": 7})
    gate_verdicts.refused(RUN)

    with pytest.raises(GateError):
        gate_verdicts.versions(RUN, ("silver.orders",))
