"""Quotes of days that were read before: revised, late or withdrawn ones are read, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.bronze import fx_rates
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.run import Run, Window
from jobs.lake.state import gate_verdicts
from tests.jobs.bronze.ecb_feed import HEADER, Serve, zipped
from tests.jobs.lakehouse import RATES, at, build, by, land, put, quote, request, rows, silver_order, version

SILVER, GOLD = "silver.fx_rates", "gold.fact_orders"
LATER = Window(at("2026-10-20"), at("2026-10-22"))
Row = tuple[str, str, str, str | None]


@pytest.fixture
def known(spark: SparkSession, lake: str) -> None:
    """What bronze last read of two days in October."""
    quotes = [("EUR", "1"), ("USD", "1.1000"), ("JPY", "160.50")]
    for day in ("2026-10-01", "2026-10-02"):
        land(spark, RATES, day, [quote(day, ccy, rate) for ccy, rate in quotes])


def read(window: Window = LATER, **options: Any) -> list[Row]:
    def bronze() -> Any:
        return log.dataset(settings.lake().uri(RATES))

    return [
        (row["as_of_date"], row["ccy"], row["rate"], row["withdrawn"])
        for batch in fx_rates.extract(request(RATES, window, bronze=bronze, **options))
        for row in batch.to_pylist()
    ]


SAME = HEADER + "2026-10-02,1.1000,160.50,N/A,\n2026-10-01,1.1000,160.50,N/A,\n"


def whole_day(rate: str, day: str = "2026-10-01") -> list[Row]:
    return [(day, "EUR", "1", None), (day, "USD", "1.1000", None), (day, "JPY", rate, None)]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("feed", "found"),
    [
        pytest.param(SAME, [], id="nothing changed"),
        pytest.param(SAME.replace("01,1.1000,160.50", "01,1.1000,161.00"), whole_day("161.00"), id="revised"),
        pytest.param(
            SAME.replace("01,1.1000,160.50", "01,1.1000,N/A"),
            [*whole_day("")[:2], ("2026-10-01", "JPY", "160.50", "true")],
            id="withdrawn",
        ),
        pytest.param(SAME + "2026-09-30,1.1000,159.00,N/A,\n", whole_day("159.00", "2026-09-30"), id="came late"),
        pytest.param(
            "Date,USD,JPY,CYP,\n2026-10-23,1.1000,1.0,N/A,\n" + SAME[len(HEADER) :], [], id="after the window"
        ),
    ],
)
def test_days_that_the_feed_has_corrected_are_read_whole(ecb: Serve, feed: str, found: list[Row]) -> None:
    ecb(zipped(feed))

    assert read() == found


@pytest.mark.usefixtures("known")
def test_backfill_reads_exactly_its_days(ecb: Serve) -> None:
    ecb(zipped(SAME.replace("160.50", "161.00")))

    assert read(exact=True) == []


def test_nothing_is_a_correction_as_long_as_nothing_was_read(ecb: Serve, lake: str) -> None:
    ecb(zipped(SAME))

    assert read() == []


@pytest.mark.usefixtures("known")
def test_withdrawn_quote_that_comes_back_is_read_and_one_that_stays_away_is_not_told_twice(
    spark: SparkSession, ecb: Serve
) -> None:
    gone = {**quote("2026-10-01", "JPY", "160.50", "2026-10-10 14:00:00"), "withdrawn": "true"}
    land(spark, RATES, "withdrawn", [gone])
    ecb(zipped(SAME.replace("01,1.1000,160.50", "01,1.1000,N/A")))
    stays_away = read()
    ecb(zipped(SAME))

    assert (stays_away, read()) == ([], whole_day("160.50"))


@pytest.mark.slow
@pytest.mark.usefixtures("known")
def test_orders_of_a_withdrawn_rate_take_the_rate_of_the_day_before(spark: SparkSession, ecb: Serve) -> None:
    orders = [silver_order(f"O{day}", currency="JPY", order_date=at(f"2026-10-0{day}").date()) for day in (1, 2, 3)]
    put("silver.orders", orders)

    def gold(run_id: str) -> dict[str, Any]:
        build(SILVER, run_id)
        passed = {name: version(name) for name in ("silver.orders", SILVER)}
        gate_verdicts.record_passed(Run(run_id, "gate"), passed)
        build(GOLD, run_id)
        return by(GOLD, "order_id", "fx_as_of_date")

    before = gold("run-1")
    ecb(zipped(SAME.replace("02,1.1000,160.50", "02,1.1000,N/A")))
    build(RATES, "run-2", window_end=LATER.end, accept=())
    after = gold("run-2")

    assert {name: f"{day:%d}" for name, day in before.items()} == {"O1": "01", "O2": "02", "O3": "02"}
    assert {name: f"{day:%d}" for name, day in after.items()} == {"O1": "01", "O2": "01", "O3": "01"}
    withdrawn = [row for row in rows(SILVER) if row["is_withdrawn"]]
    assert [(row["ccy"], f"{row['as_of_date']:%d}") for row in withdrawn] == [("JPY", "02")]
