"""Orders in dollars, at the rate of the last day on or before the order; every value worked out by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructField, StructType

from jobs.gold import fact_orders
from jobs.lake.delta.changes import AFTER, BEFORE
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from jobs.sources.ecb.euro import REPLACED
from tests.jobs.lakehouse import build, collect, frame, put, quoted_rate, rows, schema_of, silver_order, silver_rate

ORDER = silver_order()
IN_DOLLARS = {"amount_native": Decimal("10.00"), "amount_usd": Decimal("11.00"), "fx_as_of_date": ORDER["order_date"]}
GOOD = [{**ORDER, **IN_DOLLARS}]

# A Thursday and a Friday; Monday follows. 2 October 2026 is a Friday.
RATES = [
    silver_rate("2026-10-01", "GBP", "1.250000000000"),
    silver_rate("2026-10-02", "GBP", "1.500000000000"),
    silver_rate("2026-10-05", "GBP", "2.000000000000"),
    silver_rate("2026-10-02", "JPY", "0.007812500000"),
    silver_rate("2026-10-02", "USD", "1.000000000000"),
    silver_rate("2026-10-02", "EUR", "1.100000000000"),
]


def compute(
    spark: SparkSession, orders: list[dict[str, Any]], rates: list[dict[str, Any]] = RATES
) -> list[dict[str, Any]]:
    inputs = {
        "silver.orders": frame(spark, orders, schema_of("silver.orders")),
        "silver.fx_rates": frame(spark, rates, schema_of("silver.fx_rates")),
    }
    return sorted(collect(fact_orders.compute(inputs)), key=lambda row: str(row["order_id"]))


def pound_order(day: str, amount: str = "10.00") -> dict[str, Any]:
    return silver_order(day, order_date=date.fromisoformat(day), currency="GBP", amount=Decimal(amount))


def test_rate_is_of_the_last_day_on_or_before_the_order(spark: SparkSession) -> None:
    days = ["2026-09-30", "2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-10-15"]

    found = compute(spark, [pound_order(day) for day in [*days, "2026-10-16"]])

    assert [(row["order_id"], str(row["fx_as_of_date"]), row["amount_usd"]) for row in found] == [
        ("2026-09-30", "None", None),  # never a later day's rate
        ("2026-10-01", "2026-10-01", Decimal("12.50")),
        ("2026-10-02", "2026-10-02", Decimal("15.00")),
        ("2026-10-03", "2026-10-02", Decimal("15.00")),  # Saturday takes Friday's
        ("2026-10-04", "2026-10-02", Decimal("15.00")),
        ("2026-10-05", "2026-10-05", Decimal("20.00")),
        ("2026-10-15", "2026-10-05", Decimal("20.00")),
        ("2026-10-16", "None", None),  # eleven days after the last rate
    ]
    assert [row["fx_reason"] for row in found] == ["no_rate", *[None] * 6, "rate_too_old"]


@pytest.mark.parametrize(
    ("currency", "amount", "dollars"),
    [
        ("USD", "10.01", "10.01"),
        ("EUR", "10.01", "11.01"),  # 11.011
        ("EUR", "10.05", "11.06"),  # 11.055, half up
        ("JPY", "1000.00", "7.81"),  # 7.8125
        ("GBP", "0.00", "0.00"),
        ("GBP", "9999999999999999.99", "14999999999999999.99"),  # ....985
    ],
)
def test_dollars_are_the_amount_times_the_rate_to_the_cent(
    spark: SparkSession, currency: str, amount: str, dollars: str
) -> None:
    order = silver_order(currency=currency, amount=Decimal(amount), order_date=date(2026, 10, 2))

    (row,) = compute(spark, [order])

    assert (row["amount_native"], row["amount_usd"]) == (Decimal(amount), Decimal(dollars))


def test_dollars_are_rounded_once(spark: SparkSession) -> None:
    """100 x 0.000049999999 = 0.0049999999: no cent. Rounded to six places before, it would be one."""
    order = silver_order(currency="IDR", amount=Decimal("100.00"), order_date=date(2026, 10, 2))

    (row,) = compute(spark, [order], [silver_rate("2026-10-02", "IDR", "0.000049999999")])

    assert row["amount_usd"] == Decimal("0.00")


def in_dollars(amount: Decimal, usd_per_euro: Decimal, per_euro: Decimal) -> Decimal:
    with localcontext(prec=200):
        return (amount * usd_per_euro / per_euro).quantize(Decimal("0.01"), ROUND_HALF_UP)


def hard_to_round() -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """Amounts, dollars and units per euro: by chance, and such as give half a cent, or as little less as can be."""
    chance = random.Random(4)
    for _ in range(150):
        usd = Decimal(chance.randrange(8_000, 16_000)).scaleb(-4)
        units = Decimal(chance.randrange(10_000, 1_000_000)).scaleb(-chance.randrange(-2, 6))
        top = min(Decimal(10) ** chance.randrange(3, 17), 5 * units * Decimal(10) ** 15)
        yield Decimal(chance.randrange(int(top * 100) + 1)).scaleb(-2), usd, units
        half_cents = 2 * chance.randrange(10**9) + 1  # a half, exactly
        yield Decimal(half_cents), Decimal("1.0050"), Decimal("201.00")
        just_below = (Decimal(half_cents) * units / 200 / usd).quantize(Decimal("0.01"), "ROUND_DOWN")
        yield just_below, usd, units
    yield Decimal("9999999999999999.99"), Decimal("1.5000"), Decimal("1")
    yield Decimal("9999999999999999.99"), Decimal("1.1234"), Decimal("0.12")


def test_dollars_equal_exact_arithmetic_rounded_once(spark: SparkSession) -> None:
    cases = list(hard_to_round())
    orders, rates = [], []
    for number, (amount, usd, units) in enumerate(cases):
        day = date(2026, 1, 1) + timedelta(days=number)
        orders.append(silver_order(f"O{number:03}", currency="GBP", order_date=day, amount=amount))
        rates.append(quoted_rate(str(day), "GBP", units, usd))

    found = compute(spark, orders, rates)

    assert [row["amount_usd"] for row in found] == [in_dollars(*case) for case in cases]


def test_amount_is_multiplied_before_it_is_divided_and_no_rate_is_cut_to_twelve_places(spark: SparkSession) -> None:
    """1 / 3 x 9999999999999999.99 x 0.3: of the rate to twelve places, some thousand dollars would be missing."""
    order = silver_order(currency="GBP", amount=Decimal("9999999999999999.99"), order_date=date(2026, 10, 2))
    rate = quoted_rate("2026-10-02", "GBP", Decimal("3"), Decimal("1"))
    cut = {**rate, "per_euro": None, "usd_per_euro": None}  # as an earlier release wrote it

    (row,), (earlier,) = compute(spark, [order], [rate]), compute(spark, [order], [cut])

    assert row["amount_usd"] == Decimal("3333333333333333.33")
    assert earlier["amount_usd"] == Decimal("3333333333330000.00")


@pytest.mark.parametrize("rates", [[], [silver_rate("2026-10-05", "USD", "1")], RATES], ids=["none", "later", "some"])
def test_dollar_is_one_with_or_without_rates(spark: SparkSession, rates: list[dict[str, Any]]) -> None:
    days = ("2000-01-01", "2026-10-02", "2099-12-31")
    orders = [silver_order(day, currency="USD", order_date=date.fromisoformat(day)) for day in days]

    found = compute(spark, orders, rates)

    assert {(row["amount_usd"], row["fx_reason"]) for row in found} == {(Decimal("10.00"), None)}


def test_replaced_currency_is_its_fixed_part_of_a_euro_from_its_day_on(spark: SparkSession) -> None:
    """The day before, the last floating quote values it; from the day on, the euro's rate alone."""
    orders, rates, wanted = [], [], {}
    for ccy, fixed in REPLACED.items():
        before, later = fixed.since - timedelta(days=1), fixed.since + timedelta(days=8)
        for name, day in (("0", before), ("1", fixed.since), ("2", later)):
            orders.append(silver_order(f"{ccy}{name}", currency=ccy, order_date=day, amount=Decimal("100000.00")))
        rates.append(quoted_rate(str(before), ccy, Decimal("7.7777"), Decimal("1.2000")))
        wanted[f"{ccy}0"] = in_dollars(Decimal(100_000), Decimal("1.2000"), Decimal("7.7777"))
        for name, usd in (("1", "1.2000"), ("2", "1.3000")):
            wanted[f"{ccy}{name}"] = in_dollars(Decimal(100_000), Decimal(usd), fixed.per_euro)
    for since in {fixed.since for fixed in REPLACED.values()}:
        rates.append(quoted_rate(str(since - timedelta(days=1)), "EUR", Decimal(1), Decimal("1.2000")))
        rates.append(quoted_rate(str(since + timedelta(days=4)), "EUR", Decimal(1), Decimal("1.3000")))

    found = {row["order_id"]: row["amount_usd"] for row in compute(spark, orders, rates)}

    assert found == wanted


def test_changed_quotes_count_as_a_change_though_their_quotient_is_the_same(spark: SparkSession) -> None:
    exact = quoted_rate("2026-10-02", "GBP", Decimal("0.8000"), Decimal("1.0000"))
    same = {**exact, "as_of_date": date(2026, 10, 3)}
    pairs = [({**exact, "per_euro": None, "usd_per_euro": None}, exact), ({**same, "published_at": None}, same)]
    rate = schema_of("silver.fx_rates")
    states = [StructField(name, rate) for name in (BEFORE, AFTER)]
    kinds = StructType([rate["ccy"], rate["as_of_date"], *states])
    rows = [(after["ccy"], after["as_of_date"], _row(before), _row(after)) for before, after in pairs]

    found = fact_orders._spans(spark.createDataFrame(rows, kinds), frame(spark, [exact], rate))

    assert [row["_from"] for row in found.collect()] == [date(2026, 10, 2)]


def _row(rate: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(rate.get(name) for name in schema_of("silver.fx_rates").names)


def test_euro_that_is_too_old_values_no_replaced_currency(spark: SparkSession) -> None:
    day = date(2026, 10, 2)
    late = silver_order(currency="HRK", order_date=day + timedelta(days=11))

    (row,) = compute(spark, [late], [quoted_rate(str(day), "EUR", Decimal(1), Decimal("1.1"))])

    assert (row["amount_usd"], row["fx_reason"]) == (None, "rate_too_old")


def test_currency_without_quotes_keeps_its_row_without_dollars(spark: SparkSession) -> None:
    order = silver_order(currency="XXX", amount=Decimal("5.00"))

    (row,) = compute(spark, [order])

    assert (row["currency"], row["amount_native"]) == ("XXX", Decimal("5.00"))
    assert (row["amount_usd"], row["fx_as_of_date"], row["fx_reason"]) == (None, None, "no_rate")


def test_no_order_is_lost_or_doubled(spark: SparkSession) -> None:
    orders = [silver_order(f"O{n}", currency=ccy) for n, ccy in enumerate(["GBP", "EUR", "XXX", "GBP", "USD"])]

    assert [row["order_id"] for row in compute(spark, orders)] == [order["order_id"] for order in orders]


@pytest.mark.slow
def test_step_publishes_what_the_gate_passed_and_its_suite_accepts_it(spark: SparkSession, lake: str) -> None:
    orders = [pound_order("2026-10-04"), silver_order("O2", currency="XXX", order_date=date(2026, 9, 1))]
    passed = {"silver.orders": put("silver.orders", orders), "silver.fx_rates": put("silver.fx_rates", RATES)}
    gate_verdicts.record_passed(Run("run-1", "gate"), passed)

    made = build("gold.fact_orders")

    assert [(row["order_id"], row["amount_usd"], row["order_month"]) for row in rows("gold.fact_orders")] == [
        ("2026-10-04", Decimal("15.00"), "2026-10"),
        ("O2", None, "2026-09"),
    ]
    assert (made["inputs"], made["written"]) == (passed, 2)
