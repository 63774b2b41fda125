"""The tree of versions behind a table, down to bronze batches and source windows."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs import run as run_py
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests.jobs.lakehouse import ORDERS, RATES, build, land, order, quote, version


@pytest.mark.slow
def test_tree_leads_from_gold_to_windows(spark: SparkSession, lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    land(spark, RATES, "r1", [quote("2026-10-01", "USD", "1.1"), quote("2026-10-01", "EUR", "1")])
    land(spark, ORDERS, "b1", [order("O1")])
    build("silver.fx_rates")
    build("silver.orders")
    land(spark, ORDERS, "b2", [order("O2")])
    build("silver.orders", "run-2")
    passed = {name: version(name) for name in ("silver.orders", "silver.fx_rates")}
    gate_verdicts.record_passed(Run("run-2", "gate"), passed)
    build("gold.fact_orders", "run-2")
    capsys.readouterr()

    run_py.perform(Run("by-hand", "lineage", subject="gold.fact_orders"))

    lines = capsys.readouterr().out.splitlines()
    shown = [line.partition(" (")[0] for line in lines]
    assert shown == [
        "gold.fact_orders version 1",
        "  1: run by_hand run-2",
        "    silver.fx_rates version 1",
        "      1: run by_hand run-1",
        "        bronze.fx_rates version 1",
        "          1: run by_hand land batch r1 from ecb/fx_rates the beginning to 2026-10-02T00:00:00+00:00",
        "    silver.orders version 2",
        "      1: run by_hand run-1",
        "        bronze.snowflake_orders version 1",
        "          1: run by_hand land batch b1 from snowflake/orders the beginning to 2026-10-02T00:00:00+00:00",
        "      2: run by_hand run-2",
        "        bronze.snowflake_orders version 2",
        "          2: run by_hand land batch b2 from snowflake/orders the beginning to 2026-10-02T00:00:00+00:00",
    ]


def test_unknown_or_missing_table_is_named(lake: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no table 'gold\.x'; there are bronze\.fx_rates"):
        run_py.perform(Run("by-hand", "lineage", subject="gold.x"))
    with pytest.raises(ConfigurationError, match=r"gold\.fact_orders has no table yet"):
        run_py.perform(Run("by-hand", "lineage", subject="gold.fact_orders"))
