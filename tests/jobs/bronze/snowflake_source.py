"""Orders as Snowflake's connector returns them, a source with given counts, and a complete read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from jobs.bronze import snowflake_orders
from jobs.lake.extract import SourceRows
from jobs.lake.run import Window
from tests.jobs.lakehouse import ORDERS, at, request

WINDOW = Window(at("2026-10-01"), at("2026-10-02"))


def batch(**columns: pa.Array) -> pa.Table:
    """One order as the connector returns it, with the values that matter to the test."""
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


def orders(number: int, amount: str = "1.00") -> pa.Table:
    """A number of orders with the same amount, as the connector returns them."""
    return pa.concat_tables([batch(AMOUNT=pa.array([Decimal(amount)], pa.decimal128(38, 2)))] * number)


class Cursor:
    """A connection and its cursor over given batches, with the source's count of their result, and of all its rows.

    `outside` are the rows without a time, those of the future and those for later windows. A list of totals is one for
    each time that the rows are counted.
    """

    sfqid = "01b71944-0001-b181-0000-0129032279f6"

    def __init__(
        self,
        batches: Iterable[pa.Table],
        total: int | list[int],
        counted: tuple[int, str | None],
        outside: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self.batches, self.counted, self.outside = batches, counted, outside
        self.totals = [total] * 9 if isinstance(total, int) else list(total)
        self.statements: list[str] = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> Cursor:
        return self

    def execute(self, statement: str, values: tuple[Any, ...]) -> Cursor:
        self.statements.append(statement)
        if "RESULT_SCAN" in statement:
            assert values == (self.sfqid,)
        return self

    def fetch_arrow_batches(self, *, force_microsecond_precision: bool) -> Iterable[pa.Table]:
        assert force_microsecond_precision
        return self.batches

    def fetchone(self) -> tuple[Any, ...]:
        if "COUNT_IF" in self.statements[-1]:
            return (self.totals.pop(0), *self.outside)
        rows, amount = self.counted
        return rows, None if amount is None else int(Decimal(amount) * 100)


def extract(window: Window = WINDOW, **options: Any) -> SourceRows:
    """The table's own reading of a window."""
    return snowflake_orders.extract(request(ORDERS, window, **options))


Answers = Callable[[Cursor], Cursor]


def drained(reading: SourceRows) -> tuple[list[int], dict[str, Any] | None]:
    """Sizes of the parts, and the facts."""
    sizes = []
    while True:
        try:
            sizes.append(next(reading).num_rows)
        except StopIteration as end:
            return sizes, end.value
