"""Dollars per unit of a currency from quotes per euro; every value worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession

from jobs.silver import fx_rates
from tests.jobs.lakehouse import RATES, at, build, collect, frame, land, quote, rows, schema_of, silver_rate

GOOD = [silver_rate("2026-10-01", ccy, "1.1") for ccy in ("EUR", "USD", "GBP", "JPY")]

SILVER = "silver.fx_rates"
FIRST, SECOND = "2026-10-02 14:00:00", "2026-10-03 14:00:00"


def rates(spark: SparkSession, *quotes: dict[str, Any]) -> dict[tuple[str, str], Decimal | None]:
    """`usd_rate` by currency and day."""
    raw = frame(spark, [{"_batch_id": "b1", **row} for row in quotes], schema_of(RATES))
    return {(row["ccy"], str(row["as_of_date"])): row["usd_rate"] for row in collect(fx_rates.from_ecb(raw))}


def test_rate_is_dollars_per_euro_over_units_per_euro(spark: SparkSession) -> None:
    day = "2026-10-01"
    found = rates(
        spark,
        quote(day, "EUR", "1"),
        quote(day, "USD", "1.2500"),
        quote(day, "JPY", "160.00"),
        quote(day, "GBP", "0.8000"),
        quote(day, "CHF", "0.9300"),
    )

    assert found == {
        ("EUR", day): Decimal("1.250000000000"),
        ("USD", day): Decimal("1.000000000000"),
        ("JPY", day): Decimal("0.007812500000"),  # 1.25 / 160
        ("GBP", day): Decimal("1.562500000000"),  # 1.25 / 0.8
        ("CHF", day): Decimal("1.344086021505"),  # 1.25 / 0.93 = 1.34408602150537...
    }


def test_row_has_the_two_quotes_that_its_rate_is_made_of(spark: SparkSession) -> None:
    raw = [{"_batch_id": "b1", **quote("2026-10-01", ccy, rate)} for ccy, rate in (("USD", "1.25"), ("CHF", "0.9300"))]

    found = {row["ccy"]: row for row in collect(fx_rates.from_ecb(frame(spark, raw, schema_of(RATES))))}

    assert {ccy: (row["per_euro"], row["usd_per_euro"]) for ccy, row in found.items()} == {
        "USD": (Decimal("1.25"), Decimal("1.25")),
        "CHF": (Decimal("0.93"), Decimal("1.25")),
    }


def test_dollars_of_the_same_day_are_taken(spark: SparkSession) -> None:
    found = rates(
        spark,
        quote("2026-10-01", "USD", "1.25"),
        quote("2026-10-02", "USD", "1.50"),
        quote("2026-10-01", "GBP", "0.5"),
        quote("2026-10-02", "GBP", "0.5"),
    )

    assert (found["GBP", "2026-10-01"], found["GBP", "2026-10-02"]) == (Decimal("2.5"), Decimal("3"))


def test_dollars_of_the_same_read_are_taken(spark: SparkSession) -> None:
    """A correction of the dollar's rate must not be mixed with the other rates of an earlier read."""
    read = [{**quote("2026-10-01", ccy, rate, FIRST), "_batch_id": "b1"} for ccy, rate in (("USD", "1"), ("GBP", "1"))]
    again = [
        {**quote("2026-10-01", ccy, rate, SECOND), "_batch_id": "b2"} for ccy, rate in (("USD", "2"), ("GBP", "1"))
    ]

    found = collect(fx_rates.from_ecb(frame(spark, [*read, *again], schema_of(RATES))))

    assert {(row["_batch_id"], row["ccy"]): row["usd_rate"] for row in found} == {
        ("b1", "USD"): 1,
        ("b1", "GBP"): 1,
        ("b2", "USD"): 1,
        ("b2", "GBP"): 2,
    }


def test_rate_that_is_not_a_positive_number_gives_no_rate(spark: SparkSession) -> None:
    day = "2026-10-01"
    found = rates(
        spark,
        quote(day, "USD", "1.25"),
        quote(day, "AAA", "0"),
        quote(day, "BBB", "-1"),
        quote(day, "CCC", "n/a"),
        quote("01.10.2026", "GBP", "0.8"),
    )

    assert {found[ccy, day] for ccy in ("AAA", "BBB", "CCC")} == {None}
    assert found["GBP", "None"] is None


def test_quotient_that_no_rate_can_be_gives_no_rate_and_does_not_stop_the_step(spark: SparkSession) -> None:
    day = "2026-10-01"

    found = rates(spark, quote(day, "USD", "9000000000"), quote(day, "XXX", "0.00000001"))

    assert found == {("USD", day): Decimal("1.000000000000"), ("XXX", day): None}


def test_day_without_a_dollar_quote_gives_no_rates(spark: SparkSession) -> None:
    assert rates(spark, quote("2026-10-01", "EUR", "1"), quote("2026-10-01", "USD", "0")) == {
        ("EUR", "2026-10-01"): None,
        ("USD", "2026-10-01"): None,
    }


def test_correction_wins_and_broken_quotes_are_quarantined_also_when_read_again(spark: SparkSession, lake: str) -> None:
    def read(batch: str, published_at: str, pounds: str) -> dict[str, Any]:
        quotes = {"EUR": "1", "USD": "1.25", "GBP": pounds, "JPY": "broken"}
        land(spark, RATES, batch, [quote("2026-10-01", ccy, rate, published_at) for ccy, rate in quotes.items()])
        return build(SILVER)

    corrected = read("b2", SECOND, "0.5")
    late = read("b1", FIRST, "0.8")

    assert {row["ccy"]: (row["usd_rate"], row["published_at"]) for row in rows(SILVER)} == {
        "EUR": (Decimal("1.25"), at(SECOND)),
        "USD": (Decimal("1"), at(SECOND)),
        "GBP": (Decimal("2.5"), at(SECOND)),
    }
    assert {row["as_of_date"] for row in rows(SILVER)} == {date(2026, 10, 1)}
    assert (corrected["written"], corrected["quarantined"]) == (3, 1)
    assert (late["read"], late["written"], late["quarantined"]) == (4, 0, 1)
    assert {row["rule"] for row in rows("quarantine.fx_rates")} == {"usd_rate not_be_null"}


def test_unchanged_rate_that_is_read_again_keeps_its_value_and_only_its_time_moves(
    spark: SparkSession, lake: str
) -> None:
    """Each scheduled run reads a week again: all its rows come with the feed's newer time.

    Their rows in silver do change, but in `published_at` alone. It has to move: it is what newest-wins goes by, and
    with the older time kept, a read from in between that arrives late would win over a rate confirmed after it.
    """
    quotes = {"EUR": "1", "USD": "1.25", "GBP": "0.8", "JPY": "160"}
    found = []
    for batch, published_at in (("b1", FIRST), ("b2", SECOND)):
        land(spark, RATES, batch, [quote("2026-10-01", ccy, rate, published_at) for ccy, rate in quotes.items()])
        made = build(SILVER)
        found.append(rows(SILVER))

    before, after = found
    assert after == [{**row, "published_at": at(SECOND)} for row in before]
    assert (made["read"], made["written"]) == (4, 4)


def test_currency_that_ends_keeps_its_older_rates_and_gets_no_new_ones(spark: SparkSession, lake: str) -> None:
    """And no day without a publication gets a row: here 2 October."""
    days = {"2026-10-01": ("EUR", "USD", "RUB"), "2026-10-03": ("EUR", "USD")}
    for batch, (day, quoted) in enumerate(days.items()):
        land(spark, RATES, f"b{batch}", [quote(day, ccy, "1", f"{day} 14:00:00") for ccy in quoted])
        build(SILVER)

    found = [(str(row["as_of_date"]), row["ccy"]) for row in rows(SILVER)]

    assert sorted(found) == sorted((day, ccy) for day, quoted in days.items() for ccy in quoted)
