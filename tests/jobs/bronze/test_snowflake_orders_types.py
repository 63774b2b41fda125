"""Snowflake's Arrow batches, converted to the table's types; the connector itself is tested with the stand-in."""

from __future__ import annotations

import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.types import StructType

from jobs.bronze import snowflake_orders
from jobs.lake.errors import DataError, SchemaContractError
from jobs.lake.schema import text
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


@pytest.mark.parametrize(
    "amount",
    [
        pa.array([Decimal("1.005")], pa.decimal128(38, 3)),
        pa.array([Decimal("12345678901234567.00")], pa.decimal128(38, 2)),
        pa.array([Decimal(10**16)], pa.decimal128(38, 0)),
        pa.array([Decimal(10**37)], pa.decimal128(38, 0)),
        pa.array([10**16], pa.int64()),
    ],
    ids=["a third decimal place", "too large", "too large without scale", "38 digits", "too large in 64 bits"],
)
def test_amount_that_does_not_fit_is_refused_not_rounded(amount: pa.Array) -> None:
    with pytest.raises(DataError, match="snowflake: column AMOUNT"):
        conformed(AMOUNT=amount)


def test_error_of_a_value_names_its_key_and_place_and_never_the_value() -> None:
    amounts = pa.array([Decimal("1.00"), Decimal("98765432109876543.21")], pa.decimal128(38, 2))
    rows = pa.concat_tables([batch(), batch(ORDER_ID=pa.array(["O2"]))]).set_column(4, "AMOUNT", amounts)

    with pytest.raises(DataError) as caught:
        conform.conform("ORDERS", snowflake_orders.SCHEMA, rows)

    assert str(caught.value).startswith(
        "snowflake: column AMOUNT of ORDERS is decimal128(38, 2) and does not fit decimal128(18, 2) in the row with "
        "ORDER_ID 'O2'. Nothing was written."
    )
    assert "98765432109876543" not in "".join(traceback.format_exception(caught.value))


def test_key_that_may_not_be_shown_is_named_by_its_row() -> None:
    schema = StructType([text("customer_id", "c", "confidential"), snowflake_orders.SCHEMA["amount"]])

    with pytest.raises(DataError, match="in row 1 of the part") as caught:
        conform.conform("ORDERS", schema, batch(AMOUNT=pa.array([10**16], pa.int64())))
    assert "C1" not in str(caught.value)


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_times_before_1970_are_cut_towards_their_window_too(zone: str | None) -> None:
    before = pa.array([-1], pa.int64()).cast(pa.timestamp("ns", zone))

    assert conformed(UPDATED_AT=before)["updated_at"] == at("1969-12-31 23:59:59.999999")


def test_time_that_microseconds_can_not_count_is_refused_and_never_another_time() -> None:
    with pytest.raises(DataError, match=r"column UPDATED_AT of ORDERS .* in the row with ORDER_ID 'O1'"):
        conformed(UPDATED_AT=pa.array([10**16], pa.int64()).cast(pa.timestamp("ms")))


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
