"""Snowflake's Arrow batches, converted to the table's types; the connector itself is tested with the stand-in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from jobs.bronze import snowflake_orders
from jobs.lake.errors import SchemaContractError
from jobs.sources.snowflake import conform
from tests.jobs.bronze.snowflake_source import batch
from tests.jobs.lakehouse import at


def conformed(**columns: pa.Array) -> dict[str, Any]:
    (row,) = conform.conform("ORDERS", snowflake_orders.SCHEMA, batch(**columns)).to_pylist()
    return dict(row)


def test_batch_gets_the_tables_names_and_types() -> None:
    found = conform.conform("ORDERS", snowflake_orders.SCHEMA, batch())

    assert found.schema.names == snowflake_orders.SCHEMA.names
    assert found.schema.field("amount").type == pa.decimal128(18, 2)
    assert found.schema.field("updated_at").type == pa.timestamp("us", "UTC")
    assert found.schema.field("order_date").type == pa.date32()


def test_nanoseconds_are_cut_so_that_a_time_stays_in_its_window() -> None:
    last = pa.array([1_790_899_199_999_999_999], pa.timestamp("ns"))

    assert conformed(UPDATED_AT=last)["updated_at"] == at("2026-10-01 23:59:59.999999")


def test_microseconds_are_kept() -> None:
    exact = pa.array([datetime(2026, 10, 1, 8, 0, 0, 123456)], pa.timestamp("us"))

    assert conformed(UPDATED_AT=exact)["updated_at"] == at("2026-10-01 08:00:00.123456")


def test_far_times_that_do_not_fit_nanoseconds_are_kept() -> None:
    far = pa.array([datetime(9999, 12, 31)], pa.timestamp("us"))

    assert conformed(UPDATED_AT=far)["updated_at"] == at("9999-12-31")


def test_last_day_of_the_calendar_is_kept() -> None:
    assert conformed(ORDER_DATE=pa.array([date(9999, 12, 31)], pa.date32()))["order_date"] == date(9999, 12, 31)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_time_with_a_zone_keeps_its_instant(zone: str) -> None:
    moment = pa.array([datetime(2026, 10, 1, 8, tzinfo=UTC)], pa.timestamp("us", zone))

    assert conformed(UPDATED_AT=moment)["updated_at"] == at("2026-10-01 08:00:00")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (pa.array([Decimal("12.30")], pa.decimal128(38, 2)), Decimal("12.30")),
        (pa.array([Decimal("12")], pa.decimal128(38, 0)), Decimal("12.00")),
        (pa.array([Decimal(10**16 - 1)], pa.decimal128(38, 0)), Decimal("9999999999999999.00")),
        (pa.array([12], pa.int64()), Decimal("12.00")),
        (pa.array([12], pa.int8()), Decimal("12.00")),
        (pa.array([Decimal("-9999999999999999.99")], pa.decimal128(38, 2)), Decimal("-9999999999999999.99")),
        (pa.array([None], pa.decimal128(38, 2)), None),
    ],
    ids=["wide decimal", "decimal without scale", "the largest without scale", "int64", "int8", "the largest", "null"],
)
def test_number_becomes_a_decimal_of_two_places(amount: pa.Array, expected: Decimal | None) -> None:
    assert conformed(AMOUNT=amount)["amount"] == expected


def test_amount_is_never_rounded() -> None:
    with pytest.raises(SchemaContractError, match="snowflake: column AMOUNT"):
        conformed(AMOUNT=pa.array([Decimal("1.005")], pa.decimal128(38, 3)))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("AMOUNT", pa.array([Decimal("12345678901234567.00")], pa.decimal128(38, 2)), "12345678901234567.00"),
        ("AMOUNT", pa.array([Decimal("-12345678901234567.89")], pa.decimal128(38, 2)), "-12345678901234567.89"),
        ("AMOUNT", pa.array([Decimal(10**16)], pa.decimal128(38, 0)), str(10**16)),
        ("AMOUNT", pa.array([Decimal(10**37)], pa.decimal128(38, 0)), "1" + "0" * 37),
        ("AMOUNT", pa.array([10**16], pa.int64()), str(10**16)),
        ("UPDATED_AT", pa.array([10**16], pa.int64()).cast(pa.timestamp("ms")), f"<value out of range: {10**16}>"),
    ],
    ids=["too large", "too small", "without scale", "38 digits", "64 bits", "a time beyond microseconds"],
)
def test_value_that_its_column_can_not_hold_is_null_there_and_stands_beside_it(
    column: str, value: pa.Array, text: str
) -> None:
    good, odd = batch(ORDER_ID=pa.array(["O1"])), batch(ORDER_ID=pa.array(["O2"]))
    place = good.schema.get_field_index(column)
    usual = good[column].cast(value.type) if pa.types.is_timestamp(value.type) else pa.array([1], value.type)
    rows = pa.concat_tables([good.set_column(place, column, usual), odd.set_column(place, column, value)])

    found = conform.conform("ORDERS", snowflake_orders.SCHEMA, rows).to_pylist()

    name = column.lower()
    assert [(row[name] is None, row["unread"] is None) for row in found] == [(False, True), (True, False)]
    assert found[1]["order_id"] == "O2"
    assert json.loads(found[1]["unread"]) == {name: text}


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_times_before_1970_are_cut_towards_their_window_too(zone: str | None) -> None:
    before = pa.array([-1], pa.int64()).cast(pa.timestamp("ns", zone))

    assert conformed(UPDATED_AT=before)["updated_at"] == at("1969-12-31 23:59:59.999999")


@pytest.mark.parametrize(
    ("columns", "advice"),
    [
        (
            {"AMOUNT": pa.array([12.3])},
            "IFF(ABS(AMOUNT) < 90071992547409 AND AMOUNT = ROUND(AMOUNT, 2), CAST(AMOUNT AS NUMBER(18, 2)), NULL)",
        ),
        (
            {"AMOUNT": pa.array([Decimal("1.005")], pa.decimal128(38, 3))},
            "IFF(AMOUNT = ROUND(AMOUNT, 2), CAST(AMOUNT AS NUMBER(18, 2)), NULL)",
        ),
        (
            {"ORDER_DATE": pa.array([datetime(2026, 10, 1, 23)], pa.timestamp("ns", "UTC"))},
            "CAST(CONVERT_TIMEZONE('UTC', ORDER_DATE) AS DATE)",
        ),
        ({"AMOUNT": pa.array(["12.30"])}, "name the view in the module's SourceTable."),
    ],
    ids=["FLOAT", "a third decimal place", "TIMESTAMP_TZ", "VARCHAR"],
)
def test_column_of_another_kind_is_refused_with_a_cast_that_loses_nothing(
    columns: dict[str, pa.Array], advice: str
) -> None:
    with pytest.raises(SchemaContractError) as caught:
        conformed(**columns)

    assert advice in str(caught.value)
    assert str(caught.value).count("plain CAST") == ("IFF" in advice or "DATE" in advice)


def test_nulls_stay_null() -> None:
    found = conformed(ORDER_ID=pa.array([None], pa.string()), UPDATED_AT=pa.array([None], pa.timestamp("ns")))

    assert (found["order_id"], found["updated_at"]) == (None, None)
