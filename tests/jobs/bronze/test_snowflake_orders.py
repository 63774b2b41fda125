"""Snowflake's Arrow batches, brought to the table's types; the connector itself is tested with the stand-in."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from snowflake.connector.errors import DatabaseError, OperationalError, ProgrammingError

from jobs.bronze import snowflake_orders
from jobs.lake import staging
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


def test_nulls_stay_null() -> None:
    found = conformed(ORDER_ID=pa.array([None], pa.string()), UPDATED_AT=pa.array([None], pa.timestamp("ns")))

    assert (found["order_id"], found["updated_at"]) == (None, None)


def test_window_is_half_open_and_bound_not_written_into_the_query() -> None:
    assert snowflake_orders._bounds(WINDOW) == (
        "UPDATED_AT >= %s AND UPDATED_AT < %s",
        (datetime(2026, 10, 1), datetime(2026, 10, 2)),
    )
    assert snowflake_orders._bounds(Window(None, WINDOW.end)) == ("UPDATED_AT < %s", (datetime(2026, 10, 2),))


class Cursor:
    """A connection and its cursor over given batches, with what the source counts at each call."""

    def __init__(self, batches: Iterable[pa.Table], total: int, *counts: tuple[int, str | None]) -> None:
        self.batches, self.total, self.counts = batches, total, list(counts)
        self.statements: list[str] = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> Cursor:
        return self

    def execute(self, statement: str, *_: object) -> Cursor:
        self.statements.append(statement)
        return self

    def fetch_arrow_batches(self, *, force_microsecond_precision: bool) -> Iterable[pa.Table]:
        assert force_microsecond_precision
        return self.batches

    def fetchone(self) -> tuple[Any, ...]:
        if "SUM" not in self.statements[-1]:
            return (self.total,)
        rows, amount = self.counts.pop(0)
        return rows, None if amount is None else int(Decimal(amount) * 100)


def orders(number: int, amount: str = "1.00") -> pa.Table:
    """So many orders of one amount each, as the connector gives them."""
    return pa.concat_tables([batch(AMOUNT=pa.array([Decimal(amount)], pa.decimal128(38, 2)))] * number)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Cursor], Cursor]:
    """Makes this cursor the source's."""

    def use(cursor: Cursor) -> Cursor:
        monkeypatch.setattr(snowflake_orders, "connect", lambda: cursor)
        return cursor

    return use


Answers = Callable[[Cursor], Cursor]


def drained(reading: staging.Batches) -> tuple[list[int], dict[str, Any] | None]:
    """Sizes of the parts, and the facts."""
    sizes = []
    while True:
        try:
            sizes.append(next(reading).num_rows)
        except StopIteration as end:
            return sizes, end.value


def test_large_batch_is_handed_on_in_parts_of_bounded_size(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> None:
    monkeypatch.setattr(snowflake_orders, "ROWS_PER_PART", 4)
    answers(Cursor([orders(10), orders(3)], 13, (13, "13.00")))

    assert drained(snowflake_orders.extract(WINDOW))[0] == [4, 4, 2, 3]


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
    reading = snowflake_orders.extract(WINDOW)

    next(reading)
    assert len(fetched) == 1
    assert sum(drained(reading)[0]) == 95
    assert len(alive) == 20
    assert max(alive) <= 2


def test_nanosecond_and_microsecond_batches_of_one_result_come_out_alike(answers: Answers) -> None:
    near = batch(UPDATED_AT=pa.array([1_790_841_600_123_456_789], pa.timestamp("ns")))
    far = batch(UPDATED_AT=pa.array([datetime(9999, 12, 31)], pa.timestamp("us")))
    answers(Cursor([near, far], 2, (2, "24.60")))

    found = pa.concat_tables(snowflake_orders.extract(WINDOW))

    assert found["updated_at"].to_pylist() == [at("2026-10-01 08:00:00.123456"), at("9999-12-31")]


def test_read_tells_what_the_source_counts(answers: Answers) -> None:
    answers(Cursor([orders(3, "0.10")], 9, (3, "0.30")))

    assert drained(snowflake_orders.extract(WINDOW))[1] == {"source_rows": 3, "source_sum": "0.30", "source_total": 9}


def test_amounts_that_are_null_count_as_rows_and_not_in_the_sum(answers: Answers) -> None:
    answers(Cursor([batch(AMOUNT=pa.array([None], pa.decimal128(38, 2)))], 9, (1, None)))

    assert drained(snowflake_orders.extract(WINDOW))[1] == {"source_rows": 1, "source_sum": "0.00", "source_total": 9}


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        ((5, "5.00"), ["counts 5 rows with a sum of 5.00", "3 rows with a sum of 3.00 arrived", "2 are missing"]),
        ((3, "3.01"), ["counts 3 rows with a sum of 3.01", "3 rows with a sum of 3.00 arrived", "0 are missing"]),
        ((2, "2.00"), ["counts 2 rows with a sum of 2.00", "-1 are missing"]),
    ],
    ids=["rows are missing", "an amount differs", "rows too many"],
)
def test_read_that_differs_from_the_sources_own_count_twice_is_refused(
    answers: Answers, counted: tuple[int, str], words: list[str]
) -> None:
    answers(Cursor([orders(3)], 9, counted, counted))

    with pytest.raises(DataError, match="snowflake: ORDERS counts") as caught:
        drained(snowflake_orders.extract(WINDOW))

    assert [word for word in [*words, "Nothing was written"] if word not in str(caught.value)] == []


def test_source_that_changed_before_it_was_read_is_counted_again(answers: Answers) -> None:
    cursor = answers(Cursor([orders(3)], 9, (4, "4.00"), (3, "3.00")))

    facts = drained(snowflake_orders.extract(WINDOW))[1]

    assert facts == {"source_rows": 3, "source_sum": "3.00", "source_total": 9}
    assert ["SUM" in statement for statement in cursor.statements] == [False, True, False, True]


def test_source_without_any_row_is_refused(answers: Answers) -> None:
    answers(Cursor([], 0, (0, None)))

    with pytest.raises(DataError, match="snowflake: ORDERS has no rows at all"):
        drained(snowflake_orders.extract(WINDOW))


def test_window_without_rows_is_no_error(answers: Answers) -> None:
    answers(Cursor([], 9, (0, None)))

    nothing = {"source_rows": 0, "source_sum": "0.00", "source_total": 9}
    assert drained(snowflake_orders.extract(WINDOW)) == ([], nothing)


@pytest.mark.parametrize("total", [49, 1, 0])
def test_source_that_lost_more_than_half_is_refused_before_it_is_read(answers: Answers, total: int) -> None:
    cursor = answers(Cursor([orders(1)], total, (1, "1.00")))

    with pytest.raises(DataError, match=f"has {total} rows and had 100 when it was last read") as caught:
        drained(snowflake_orders.extract(WINDOW, known_total=100))

    assert "--accept fewer_rows" in str(caught.value)
    assert len(cursor.statements) == 1


@pytest.mark.parametrize(
    ("total", "known", "accept"),
    [
        (50, 100, ()),
        (200, 100, ()),
        (3, None, ()),
        (0, 0, ("fewer_rows",)),
        (1, 100, ("fewer_rows",)),
        (0, 100, ("null_column", "fewer_rows")),
    ],
    ids=["half", "grown", "first read", "accepted as empty", "accepted as fewer", "accepted as emptied"],
)
def test_source_that_lost_less_or_by_intent_is_read(
    answers: Answers, total: int, known: int | None, accept: tuple[str, ...]
) -> None:
    answers(Cursor([], total, (0, None)))

    facts = drained(snowflake_orders.extract(WINDOW, known_total=known, accept=accept))[1]

    assert facts == {"source_rows": 0, "source_sum": "0.00", "source_total": total}


def test_accepting_another_damage_does_not_accept_fewer_rows(answers: Answers) -> None:
    answers(Cursor([], 1, (0, None)))

    with pytest.raises(DataError, match="has 1 rows and had 100"):
        drained(snowflake_orders.extract(WINDOW, known_total=100, accept=("null_column",)))


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
        drained(snowflake_orders.extract(WINDOW))
