"""A window of orders is read part by part, however its batches arrive; the connector's errors name the source."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pytest
from snowflake.connector.errors import ProgrammingError

from jobs.bronze.snowflake_orders import ORDERS
from jobs.lake.errors import DataError
from jobs.lake.run import Window
from jobs.sources.snowflake import extract as snowflake
from jobs.sources.snowflake import reading
from tests.jobs.bronze.snowflake_source import WINDOW, Answers, Cursor, batch, drained, extract, orders
from tests.jobs.lakehouse import at


def test_window_is_half_open_and_its_bounds_are_parameters_of_the_query() -> None:
    assert reading.bounds(ORDERS, WINDOW) == (
        "UPDATED_AT >= %s AND UPDATED_AT < %s",
        (datetime(2026, 10, 1), datetime(2026, 10, 2)),
    )
    assert reading.bounds(ORDERS, Window(None, WINDOW.end)) == ("UPDATED_AT < %s", (datetime(2026, 10, 2),))


def test_large_batch_is_passed_on_in_parts_of_limited_size(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PART", 4)
    answers(Cursor([orders(10), orders(3)], 13, (13, "13.00")))

    assert drained(extract())[0] == [4, 4, 2, 3]


def test_batches_are_fetched_one_by_one_and_not_kept(answers: Answers) -> None:
    fetched: list[weakref.ref[pa.Table]] = []
    alive: list[int] = []

    def arriving() -> Iterator[pa.Table]:
        for _ in range(20):
            made = orders(5)
            fetched.append(weakref.ref(made))
            alive.append(sum(known() is not None for known in fetched))
            yield made
            del made

    answers(Cursor(arriving(), 100, (100, "100.00")))
    parts = extract()

    next(parts)
    assert len(fetched) == 1
    assert sum(drained(parts)[0]) == 95
    assert len(alive) == 20
    assert max(alive) <= 2


def test_nanosecond_and_microsecond_batches_of_one_result_become_the_same(answers: Answers) -> None:
    near = batch(UPDATED_AT=pa.array([1_790_841_600_123_456_789], pa.timestamp("ns")))
    far = batch(UPDATED_AT=pa.array([datetime(9999, 12, 31)], pa.timestamp("us")))
    answers(Cursor([near, far], 2, (2, "24.60")))

    found = pa.concat_tables(extract())

    assert found["updated_at"].to_pylist() == [at("2026-10-01 08:00:00.123456"), at("9999-12-31")]


def test_error_of_the_connector_names_the_source_and_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect() -> None:
        raise ProgrammingError("invalid identifier 'STATUS'", errno=904)

    monkeypatch.setattr(snowflake, "connect", connect)

    with pytest.raises(DataError, match=r"^snowflake: the query on ORDERS failed \(904: invalid identifier"):
        drained(extract())
