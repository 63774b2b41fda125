"""Snowflake's Arrow batches, brought to the table's types; the connector itself is tested with the stand-in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, OperationalError, ProgrammingError

from jobs.bronze import snowflake_orders
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.lake.run import Window
from tests.jobs.lakehouse import at

WINDOW = Window(at("2026-10-01"), at("2026-10-02"))


def batch(**columns: pa.Array) -> pa.Table:
    """One order as the connector gives it, with what the test cares about."""
    usual = {
        "ORDER_ID": pa.array(["O1"]),
        "CUSTOMER_ID": pa.array(["C1"]),
        "ORDER_DATE": pa.array([date(2026, 10, 1)], pa.date32()),
        "CURRENCY": pa.array(["EUR"]),
        "AMOUNT": pa.array([Decimal("12.30")], pa.decimal128(18, 2)),
        "STATUS": pa.array(["PAID"]),
        "UPDATED_AT": pa.array([datetime(2026, 10, 1, 8)], pa.timestamp("ns")),
    }
    return pa.table({**usual, **columns})


def conformed(**columns: pa.Array) -> dict[str, Any]:
    (row,) = snowflake_orders.conform(batch(**columns)).to_pylist()
    return dict(row)


def test_batch_gets_the_tables_names_and_types() -> None:
    found = snowflake_orders.conform(batch())

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


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_time_with_a_zone_keeps_its_instant(zone: str) -> None:
    moment = pa.array([datetime(2026, 10, 1, 8, tzinfo=UTC)], pa.timestamp("us", zone))

    assert conformed(UPDATED_AT=moment)["updated_at"] == at("2026-10-01 08:00:00")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (pa.array([Decimal("12.30")], pa.decimal128(38, 2)), Decimal("12.30")),
        (pa.array([Decimal("12")], pa.decimal128(38, 0)), Decimal("12.00")),
        (pa.array([12], pa.int64()), Decimal("12.00")),
        (pa.array([12], pa.int8()), Decimal("12.00")),
        (pa.array([Decimal("-9999999999999999.99")], pa.decimal128(38, 2)), Decimal("-9999999999999999.99")),
        (pa.array([None], pa.decimal128(38, 2)), None),
    ],
    ids=["wide decimal", "decimal without scale", "int64", "int8", "the largest", "null"],
)
def test_number_becomes_a_decimal_of_two_places(amount: pa.Array, expected: Decimal | None) -> None:
    assert conformed(AMOUNT=amount)["amount"] == expected


@pytest.mark.parametrize(
    "amount",
    [
        pa.array([Decimal("1.005")], pa.decimal128(38, 3)),
        pa.array([Decimal("12345678901234567.00")], pa.decimal128(38, 2)),
    ],
    ids=["a third decimal place", "too large"],
)
def test_amount_that_does_not_fit_is_refused_not_rounded(amount: pa.Array) -> None:
    with pytest.raises(DataError, match="snowflake: column AMOUNT"):
        conformed(AMOUNT=amount)


def test_nulls_stay_null() -> None:
    found = conformed(ORDER_ID=pa.array([None], pa.string()), UPDATED_AT=pa.array([None], pa.timestamp("ns")))

    assert (found["order_id"], found["updated_at"]) == (None, None)


def test_window_is_half_open_and_bound_not_written_into_the_query() -> None:
    assert snowflake_orders._bounds(WINDOW) == (
        "UPDATED_AT >= %s AND UPDATED_AT < %s",
        (datetime(2026, 10, 1), datetime(2026, 10, 2)),
    )
    assert snowflake_orders._bounds(Window(None, WINDOW.end)) == ("UPDATED_AT < %s", (datetime(2026, 10, 2),))


def test_connector_is_asked_for_exact_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    keys = ("account", "username", "password", "warehouse", "database", "schema")
    monkeypatch.setattr(snowflake_orders.secrets, "credentials", lambda *_: dict.fromkeys(keys, "x"))
    monkeypatch.setattr(snowflake.connector, "connect", lambda **options: asked.update(options))
    monkeypatch.setenv("SNOWFLAKE_ENDPOINT_URL", "http://127.0.0.1:8103")

    snowflake_orders.connect()

    assert asked["arrow_number_to_decimal"] is True  # else NUMBER arrives as a double
    assert asked["session_parameters"] == {"TIMEZONE": "UTC"}
    assert (asked["host"], asked["port"], asked["protocol"]) == ("127.0.0.1", 8103, "http")


class Cursor:
    """A cursor over given batches."""

    def __init__(self, batches: list[pa.Table], total: int) -> None:
        self.batches, self.total = batches, total

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> Cursor:
        return self

    def execute(self, *_: object) -> Cursor:
        return self

    def fetch_arrow_batches(self, **_: object) -> list[pa.Table]:
        return self.batches

    def fetchone(self) -> tuple[int]:
        return (self.total,)


def test_source_without_any_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snowflake_orders, "connect", lambda: Cursor([], 0))

    with pytest.raises(DataError, match="snowflake: ORDERS has no rows at all"):
        list(snowflake_orders.extract(WINDOW))


def test_window_without_rows_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snowflake_orders, "connect", lambda: Cursor([], 9))

    assert list(snowflake_orders.extract(WINDOW)) == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DatabaseError("Incorrect username or password was specified.", errno=250001), ConfigurationError),
        (OperationalError("could not connect", errno=250003), TransientError),
        (ProgrammingError("invalid identifier 'STATUS'", errno=904), DataError),
    ],
    ids=["log-in", "down", "query"],
)
def test_error_of_the_connector_names_the_source_and_its_kind(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[LakeError]
) -> None:
    def connect() -> None:
        raise error

    monkeypatch.setattr(snowflake_orders, "connect", connect)

    with pytest.raises(kind, match=r"^snowflake: "):
        list(snowflake_orders.extract(WINDOW))
