"""Rows of Snowflake that no window could read: each is found, read once, and named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from infra.local.secrets import snowflake_credentials
from jobs.bronze import snowflake_orders
from jobs.lake.run import Window
from jobs.lake.schema import arrow
from jobs.sources.snowflake import late, reading
from tests.faults.conftest import Sources
from tests.jobs.lakehouse import ORDERS, at, request

DAY = Window(at("2026-10-01"), at("2026-10-02"))
NEXT_DAY = Window(at("2026-10-02"), at("2026-10-03"))
FIRST = Window(None, at("2026-10-02"))
BRONZE = arrow(snowflake_orders.SCHEMA).append(pa.field("_batch_id", pa.string()))
Row = dict[str, Any]


class Bronze:
    """What was read so far: the batch of a window replaces its own."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.facts: dict[str, Any] = {}

    def read(self, window: Window, **options: Any) -> dict[str, Any]:
        """The read of a window, committed: order id -> time of its last change; each comes once."""
        rows = []
        asked = request(ORDERS, window, bronze=lambda: self.table() if self.rows else None, **options)
        parts = snowflake_orders.extract(asked)
        while True:
            try:
                rows += next(parts).to_pylist()
            except StopIteration as end:
                self.facts = end.value
                break
        kept = [row for row in self.rows if row["_batch_id"] != window.batch_id]
        self.rows = [*kept, *({**row, "_batch_id": window.batch_id} for row in rows)]
        found = {row["order_id"]: row["updated_at"] for row in rows}
        assert len(found) == len(rows)
        return found

    def table(self) -> ds.Dataset:
        return ds.dataset(pa.Table.from_pylist(self.rows, BRONZE))


def put(sources: Sources, *orders: str, kind: str | None = None) -> None:
    """Adds orders, or changes them: `O1 2026-10-01 08:00:00`, or `O1` for one without a time. A kind begins anew."""
    if kind:
        sources.snowflake(
            "CREATE OR REPLACE TABLE PUBLIC.ORDERS (ORDER_ID VARCHAR, CUSTOMER_ID VARCHAR, ORDER_DATE DATE,"
            f" CURRENCY VARCHAR, AMOUNT NUMBER(18,2), STATUS VARCHAR, UPDATED_AT {kind})"
        )
    for order in orders:
        name, _, moment = order.partition(" ")
        time = f"'{moment}'" if moment else "NULL"
        sources.snowflake(f"DELETE FROM PUBLIC.ORDERS WHERE ORDER_ID = '{name}'")
        sources.snowflake(
            f"INSERT INTO PUBLIC.ORDERS VALUES ('{name}', 'C1', '2026-10-01', 'EUR', 1.00, 'PAID', {time})"
        )


@pytest.fixture
def sources(running_sources: Sources, lake: str, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Snowflake alone, and its log-in."""
    addresses = running_sources.addresses
    monkeypatch.setenv("SNOWFLAKE_ENDPOINT_URL", addresses.snowflake)
    secret = json.dumps(snowflake_credentials(addresses))
    boto3.client("secretsmanager").create_secret(Name=f"{lake}/snowflake/credentials", SecretString=secret)
    return running_sources


@pytest.fixture
def bronze(sources: Sources) -> Bronze:
    put(
        sources,
        "O1 2026-09-30 23:59:59.999999", "O2 2026-10-01 08:00:00", "O3 2026-09-30 23:59:59.999999",
        kind="TIMESTAMP_NTZ(9)",
    )  # fmt: skip
    begun = Bronze()
    assert set(begun.read(FIRST)) == {"O1", "O2", "O3"}
    return begun


LATE = {
    "A 2026-09-30 23:59:59.999999": "2026-09-30",
    "B 2026-10-01 08:00:00": "2026-10-01",
    "C 1960-01-01 00:00:00.5": "1960-01-01",
    "D 0001-01-01 00:00:00": "0001-01-01",
    "O1 2026-09-30 23:59:59.9999995": None,  # less than a microsecond later: for us the same time
    "O3 2026-10-01 00:00:00.000001": "2026-10-01",
    "E": "no time",
    "F 2099-01-01 00:00:00": "future",
    "G 9999-12-31 23:59:59": "future",
    "H 2026-10-02 00:00:00": "the window",
    "I 2026-10-03 00:00:00": "a later window",
}


def test_row_that_came_late_is_read_once_and_its_days_are_named(sources: Sources, bronze: Bronze) -> None:
    put(sources, *LATE)

    found = bronze.read(NEXT_DAY)

    assert set(found) == {"A", "B", "C", "D", "O3", "E", "F", "G", "H"}
    late_rows = bronze.facts["late"]
    assert late_rows == {
        "no time": 1, "future": 2, "0001-01-01": 1, "1960-01-01": 1, "2026-09-30 to 2026-10-01": 3
    }  # fmt: skip
    assert bronze.facts["source_rows"] == len(found)
    assert set(bronze.read(Window(NEXT_DAY.end, at("2026-10-04")))) == {"I"}


@pytest.mark.parametrize("kind", ["TIMESTAMP_NTZ(9)", "TIMESTAMP_LTZ(9)", "TIMESTAMP_TZ(9)"])
def test_days_that_are_held_are_not_read_again_whatever_kind_their_time_has(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    zone = "" if "NTZ" in kind else "+00:00"
    moments = ("1999-12-31 23:59:59.999999", "2026-09-30 23:59:59.999999", "2026-10-01 00:00:00.000001")
    put(sources, *(f"O{number} {moment}{zone}" for number, moment in enumerate(moments)), kind=kind)
    held = Bronze()
    held.read(FIRST)
    put(sources, f"O2 2026-10-02 12:00:00{zone}")  # it changed: its old day no longer has it, on both sides
    statements = _statements(monkeypatch)

    assert set(held.read(NEXT_DAY)) == {"O2"}

    assert statements == ["UPDATED_AT >= %s AND UPDATED_AT < %s"]


def test_order_that_is_gone_or_changed_since_costs_a_look_at_its_day_and_gives_no_row(
    sources: Sources, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sources, "O4 2026-09-30 10:00:00", "O5 2026-09-01 10:00:00")
    assert set(bronze.read(NEXT_DAY)) == {"O4", "O5"}
    assert bronze.facts["late"] == {"2026-09-01": 1, "2026-09-30": 1}
    sources.snowflake("DELETE FROM PUBLIC.ORDERS WHERE ORDER_ID IN ('O4', 'O5')")
    statements = _statements(monkeypatch)

    assert bronze.read(Window(NEXT_DAY.end, at("2026-10-04"))) == {}

    # The day of O4 differs, as others are left there; no row is left of the day of O5.
    assert len(statements) == 2


def test_row_that_got_its_time_late_is_read_again_with_it(sources: Sources, bronze: Bronze) -> None:
    put(sources, "N", "F 2099-01-01 00:00:00")
    assert bronze.read(NEXT_DAY) == {"N": None, "F": at("2099-01-01")}

    put(sources, "N 2026-10-01 09:00:00", "F 2026-10-01 10:00:00")

    assert bronze.read(Window(NEXT_DAY.end, at("2026-10-04"))) == {
        "N": at("2026-10-01 09:00:00"),
        "F": at("2026-10-01 10:00:00"),
    }


def test_window_that_is_read_again_finds_its_late_rows_again(sources: Sources, bronze: Bronze) -> None:
    put(sources, "L 2026-09-01 00:00:00", "N")
    assert set(bronze.read(NEXT_DAY)) == {"L", "N"}

    assert set(bronze.read(NEXT_DAY)) == {"L", "N"}


def test_neighbouring_days_are_read_as_one_window(sources: Sources, bronze: Bronze) -> None:
    put(sources, "A 2026-09-01 10:00:00", "B 2026-09-02 10:00:00", "C 2026-09-04 10:00:00")

    bronze.read(NEXT_DAY)

    assert bronze.facts["late"] == {"2026-09-01 to 2026-09-02": 2, "2026-09-04": 1}


@pytest.mark.parametrize(
    ("days", "runs"),
    [
        ([], []),
        ([5], [(5, 5)]),
        ([3, 1, 2, 7], [(1, 3), (7, 7)]),
        ([-1, 0, late._NO_TIME, late._FUTURE], [(late._NO_TIME, late._NO_TIME), (-1, 0), (late._FUTURE, late._FUTURE)]),
        (range(70), [(0, 30), (31, 61), (62, 69)]),
    ],
)
def test_runs_of_days_are_of_limited_length(days: Iterable[int], runs: list[tuple[int, int]]) -> None:
    assert list(late._runs(days)) == runs


def test_backfill_looks_for_no_late_rows_and_a_full_refresh_reads_them_all(sources: Sources, bronze: Bronze) -> None:
    put(sources, "L 2026-09-01 00:00:00", "N", "F 2099-01-01 00:00:00")

    assert bronze.read(NEXT_DAY, exact=True) == {}
    assert set(bronze.read(Window(None, NEXT_DAY.end))) == {"O1", "O2", "O3", "L", "N", "F"}
    assert bronze.facts["outside"] == {"no_time": 1, "future": 1}
    assert bronze.facts["source_rows"] == bronze.facts["source_total"] == 6


def test_every_lost_row_of_a_busy_history_is_found(sources: Sources) -> None:
    """Orders of many days, folded in small pieces; some keys were held at another time."""
    put(sources, kind="TIMESTAMP_NTZ(9)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late, "_FOLD_ROWS", 3)
        sources.snowflake(
            "INSERT INTO PUBLIC.ORDERS SELECT 'O' || V.VALUE, 'C1', '2026-10-01', 'EUR', 1.00, 'PAID',"
            " DATEADD(HOUR, V.VALUE::INT * 7, '2026-08-01'::TIMESTAMP_NTZ) FROM TABLE(FLATTEN(INPUT =>"
            f" PARSE_JSON('{list(range(60))}'))) V"
        )
        held = Bronze()
        held.read(FIRST)
        lost = {f"O{number}" for number in (0, 3, 17, 59)}
        older = {**held.rows[5], "updated_at": datetime(2026, 7, 1, tzinfo=UTC)}
        held.rows = [older, *(row for row in held.rows if row["order_id"] not in lost)]

        assert set(held.read(NEXT_DAY)) == lost


def test_sum_of_hashes_is_the_same_on_both_sides_for_odd_keys(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sources, "O1 2026-09-01 10:00:00", kind="TIMESTAMP_NTZ(9)")
    for key in ("''", "'Ünï 漢'", "' O1 '", "NULL", "'a/b'"):
        sources.snowflake(
            f"INSERT INTO PUBLIC.ORDERS SELECT {key}, CUSTOMER_ID, ORDER_DATE, CURRENCY, AMOUNT, STATUS, UPDATED_AT"
            " FROM PUBLIC.ORDERS WHERE ORDER_ID = 'O1'"
        )
    held = Bronze()
    parts = list(snowflake_orders.extract(request(ORDERS, FIRST)))
    held.rows = [{**row, "_batch_id": "b"} for part in parts for row in part.to_pylist()]
    statements = _statements(monkeypatch)

    assert held.read(NEXT_DAY) == {}
    assert len(statements) == 1


def _statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conditions of the statements that read rows."""
    asked: list[str] = []
    real = reading.select

    def select(connection: Any, source: Any, where: str, values: Any) -> Any:
        asked.append(where)
        return real(connection, source, where, values)

    monkeypatch.setattr(reading, "select", select)
    return asked
