"""A month's bill: the page says what the code says, and each formula does what its line means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.cost import __main__ as cost
from infra.cost import measured, prices
from infra.cost.month import DAYS, HOURS, Plan, Worker, lines, total

BARE = Plan(refresh_minutes=None, start_seconds=0.0, housekeeping_hours=0.0, queries=0, kept_days=0.0)


def test_page_has_the_figures_of_the_code() -> None:
    page = cost.PAGE.read_text()
    assert cost.filled(page) == page, "run `.venv/jobs/bin/python -m infra.cost --write`"
    assert all(len(table().splitlines()) > 3 for table in cost.TABLES.values())


def test_another_price_makes_the_page_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "MWAA_SMALL", replace(prices.MWAA_SMALL, usd=0.59))
    page = cost.PAGE.read_text()
    assert cost.filled(page) != page


def test_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table knobs"):
        cost.filled(cost.PAGE.read_text().replace("<!-- knobs -->", ""))


def test_job_run_is_billed_for_its_workers_from_its_start_and_for_a_minute_at_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = replace(measured.sample(), seconds={"a": 3540.0, "b": 5.0}, seconds_per_100k_orders={})
    monkeypatch.setattr(measured, "sample", lambda: day)
    plan = replace(BARE, driver=Worker(1, 2), executors=Worker(3, 8), start_seconds=0.0)
    hours = (3540 + 60) / 3600
    wanted = DAYS * hours * (4 * prices.EMR_VCPU.usd + 10 * prices.EMR_GB.usd)
    assert lines(plan, 1)["EMR, the daily run"] == pytest.approx(wanted)
    slow = replace(plan, start_seconds=60.0)
    wanted = DAYS * (3600 + 65) / 3600 * (4 * prices.EMR_VCPU.usd + 10 * prices.EMR_GB.usd)
    assert lines(slow, 1)["EMR, the daily run"] == pytest.approx(wanted)


def test_stream_runs_all_month_and_without_one_nothing_of_it_is_paid() -> None:
    hour = 2 * prices.EMR_VCPU.usd + 8 * prices.EMR_GB.usd
    assert lines(Plan(), 1)["EMR, the stream"] == pytest.approx(HOURS * hour)
    without = lines(replace(Plan(), refresh_minutes=None), 1)
    assert (
        without["EMR, the stream"] == without["MSK Serverless"] == without["EMR, the refresh of streamed orders"] == 0
    )


def test_refresh_costs_by_how_often_it_runs() -> None:
    often, seldom = (lines(replace(Plan(), refresh_minutes=minutes), 1) for minutes in (15.0, 60.0))
    name = "EMR, the refresh of streamed orders"
    assert often[name] == pytest.approx(4 * seldom[name])


def test_storage_and_queries_grow_with_what_is_kept() -> None:
    small, large = (lines(replace(Plan(), kept_days=days), 100) for days in (365.0, 3650.0))
    assert large["S3, storage"] == pytest.approx(10 * small["S3, storage"], rel=0.01)
    assert large["Athena"] == pytest.approx(10 * small["Athena"])


def test_small_query_is_billed_for_ten_megabytes() -> None:
    assert lines(replace(BARE, queries=1000), 1)["Athena"] == pytest.approx(DAYS * 1000 * 10e-6 * 5.0)


def test_arm_is_cheaper_and_only_emr_is() -> None:
    intel, arm = lines(Plan(), 10), lines(replace(Plan(), arm=True), 10)
    assert {name for name, usd in intel.items() if usd != arm[name]} == {
        name for name, usd in intel.items() if name.startswith("EMR") and usd
    }


def test_seconds_are_those_of_the_benchmarks() -> None:
    page = (cost.REPOSITORY / "docs" / "benchmarks.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    cold = {row[0]: float(row[7]) for row in rows if len(row) == 10 and "." in row[0]}
    assert measured.sample().seconds == cold
    assert len(cold) == 10


def test_a_step_grows_with_its_orders_and_never_below_the_sample() -> None:
    known = measured.sample().seconds["silver.orders"]
    assert measured.seconds("silver.orders", 10) == measured.seconds("silver.orders", 1000) == known
    assert measured.seconds("silver.orders", 101_000) == pytest.approx(known + 24.0)
    assert measured.seconds("silver.fx_rates", 101_000) == measured.sample().seconds["silver.fx_rates"]


def test_more_orders_cost_more() -> None:
    assert total(Plan(), 1) < total(Plan(), 10) < total(Plan(), 100)


def test_month_by_real_reports_is_their_average_day() -> None:
    dag = {"dag_id": "daily_lakehouse", "job_runs": 9, "failed": 0}
    reports = [
        {"date": "2026-11-01", "cost": [{**dag, "vcpu_hours": 2.0, "gb_hours": 8.0}]},
        {"date": "2026-11-02", "cost": [{**dag, "vcpu_hours": 4.0, "gb_hours": 16.0}]},
    ]
    wanted = DAYS * (3 * prices.EMR_VCPU.usd + 12 * prices.EMR_GB.usd)
    assert cost.of_reports(reports) == {"daily_lakehouse": pytest.approx(wanted)}
    with pytest.raises(ValueError, match="2026-11-03 has no hours"):
        cost.of_reports([{"date": "2026-11-03", "cost": None}])
