"""Reads a Snowflake table by the time of its rows' last change, and the rows that no window could have read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from snowflake.connector.errors import Error

from jobs.lake.extract import Request, SourceRows
from jobs.sources.snowflake import account, late, reading
from jobs.sources.snowflake.account import Account
from jobs.sources.snowflake.client import connect
from jobs.sources.snowflake.errors import translated
from jobs.sources.snowflake.reading import Measure, SourceTable

# The commit names so many runs of days whose rows were read late, and sums up the others.
DAYS_NAMED = 50


def read(source: SourceTable, request: Request) -> SourceRows:
    """Rows whose last change lies in the window, in parts of at most `reading.ROWS_PER_PART` rows.

    A backfill reads exactly that. A read from the beginning takes every row up to the window's end, those without a
    time and those stamped in the future too: silver's rules judge them. Any other read adds the rows that bronze
    lacks (`late.rows` says how it finds them and what that costs).

    Besides, it costs a count of one column of the source, and a count of each result.

    Returns:
        Facts: `source_rows` and `source_sum` (text) of what was read, as the source counts them; `source_total`, the
        rows of the whole source table; `outside`, if any, those that lie in no window up to this one, by why; and
        `late`, if any, how many rows were read late, by their days.

    Raises:
        ConfigurationError: the secret is missing, the log-in is refused, or the user may not read the table.
        TransientError: Snowflake can't be reached, or a statement was canceled.
        SchemaContractError: a column is of another kind than its SCHEMA says.
        DataError: the source has no rows or lost more than `account.LARGEST_FALL` of them, the query fails there, or
            other rows arrived than the source counts.
    """
    window = request.window
    future = account.future_from(window)
    bronze = None if request.exact or window.start is None else request.bronze()
    try:
        with connect() as connection, connection.cursor() as cursor:
            found = account.take(cursor, source, window, future)
            if "fewer_rows" not in request.accept:
                account.refuse_fewer(source, found.total, request.known.get("source_total"))
            where, values = reading.bounds(source, window)
            if not request.exact and bronze is None:
                by = source.changed_at.upper()
                where, values = f"({where}) OR {by} IS NULL OR {by} >= %s", (*values, future)
            measure, stamps = Measure(), list[pa.Table]()
            for part in reading.select(connection, source, where, values):
                measure = measure.plus(part[source.summed])
                if bronze is not None:
                    stamps.append(part.select([source.key, source.changed_at]))
                yield part
            if not request.exact and window.start is None and measure.rows != found.total - found.later:
                again = account.take(cursor, source, window, future)
                if again == found:
                    account.refuse_unread(source, measure.rows, found)
                found = again
            read_late: dict[str, int] = {}
            if bronze is not None:
                held = late.Held(bronze, source, request, stamps)
                for part, found_in in late.rows(connection, held, future):
                    measure = measure.plus(part[source.summed])
                    days = found_in if len(read_late) < DAYS_NAMED or found_in in read_late else "other days"
                    read_late[days] = read_late.get(days, 0) + part.num_rows
                    yield part
            return _facts(source, request, measure, found, read_late)
    except Error as error:
        raise translated(error, source.name) from error


def _facts(
    source: SourceTable, request: Request, measure: Measure, found: Account, read_late: dict[str, int]
) -> dict[str, Any]:
    if found.outside and not request.exact:
        print(f"{request.table.name}: of {found.total} rows of {source.name}, outside of any window: {found.outside}")
    if read_late:
        print(f"{request.table.name}: rows of {source.name} that were not held, read late: {read_late}", flush=True)
    facts: dict[str, Any] = {
        "source_rows": measure.rows,
        "source_sum": str(measure.amount),
        "source_total": found.total,
    }
    if not request.exact:
        facts |= {name: value for name, value in (("outside", found.outside), ("late", read_late)) if value}
    return facts
