"""What gold has to hold. DuckDB and exact fractions compute it from the sources' rows, without any code of the jobs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import duckdb
import pyarrow as pa

from infra.local.seeds import Seeds
from infra.local.sources.ecb.history import bundled

_FACTS = """
WITH good AS (
    SELECT * FROM orders
    WHERE amount >= 0 AND regexp_full_match(currency, '[A-Z]{3}')
), newest AS (
    SELECT * FROM good QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC) = 1
), quotes AS (
    SELECT Date AS day, ccy, rate
    FROM (UNPIVOT feed ON * EXCLUDE (Date) INTO NAME ccy VALUE rate)
    UNION ALL SELECT Date, 'EUR', '1' FROM feed
), rates AS (
    SELECT q.day, q.ccy, usd.rate AS dollars, q.rate AS units
    FROM quotes q JOIN quotes usd ON usd.ccy = 'USD' AND usd.day = q.day
    WHERE TRY_CAST(q.rate AS DOUBLE) IS NOT NULL
)
SELECT
    n.order_id, n.customer_id, n.order_date, n.currency, n.amount, n.status, r.day, r.dollars, r.units
FROM newest n ASOF LEFT JOIN rates r
    ON CASE n.currency WHEN 'BGN' THEN 'EUR' ELSE n.currency END = r.ccy AND n.order_date >= r.day
"""
# The seeds' one replaced currency, which Bulgaria had until 2025: levs per euro.
LEVS = Fraction("1.95583")
OLDEST_RATE = timedelta(days=10)


def facts(seeds: Seeds) -> dict[str, tuple[Any, ...]]:
    """Order id -> customer, day, currency, amount, dollars to the cent or None, status, day of the rate or None."""
    rows = _connect(seeds).execute(_FACTS).fetchall()
    return {row[0]: (*row[1:5], *_valued(row)) for row in rows}


def _valued(row: tuple[Any, ...]) -> tuple[Decimal | None, str, date | None]:
    _, _, ordered, currency, amount, status, day, dollars, units = row
    if day is None or ordered - day > OLDEST_RATE:
        return (amount if currency == "USD" else None), status, None
    per_euro = LEVS if currency == "BGN" else Fraction(units)
    cents = Fraction(amount) * 100 * Fraction(dollars) / per_euro
    return Decimal(floor(cents + Fraction(1, 2))) / 100, status, day


def customers(seeds: Seeds) -> dict[str, bool]:
    """Customer id -> known from orders only."""
    known = {account.account_number for account in seeds.accounts if account.account_number}
    ordering = {row[0] for row in facts(seeds).values()}
    return {name: name not in known for name in known | ordering}


def revenue_of(seeds: Seeds, day: date) -> Decimal:
    """Dollars of the orders of a day."""
    return sum((row[4] or Decimal(0) for row in facts(seeds).values() if row[1] == day), Decimal(0))


def _connect(seeds: Seeds) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = [{key: value for key, value in asdict(row).items() if key != "defects"} for row in seeds.orders]
    connection.register("orders", pa.Table.from_pylist(columns))
    header, *lines = [line.rstrip(",") for line in bundled().splitlines()]
    names = header.split(",")
    feed = [dict(zip(names, line.split(","), strict=False)) for line in lines]
    connection.register("feed_text", pa.Table.from_pylist(feed))
    connection.execute("CREATE TABLE feed AS SELECT * REPLACE (CAST(Date AS DATE) AS Date) FROM feed_text")
    return connection
