"""Where each row of a source table lies: in the window or outside. So a row that no window reads has a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from jobs.lake.errors import DataError
from jobs.lake.run import Window
from jobs.sources.snowflake.reading import SourceTable

# A stamp that is further ahead is no time of a change. Clocks differ, and zones are mixed up, by less.
AHEAD = timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC)
# Rows are added and changed, and old years may be archived; a table that lost half of its rows since the last
# read was truncated, or is being loaded just now.
LARGEST_FALL = Decimal("0.5")


def future_from(window: Window) -> datetime:
    """From when on a stamp lies in the future, without a zone, UTC: a day after now, and after the window."""
    latest = max(window.end, datetime.now(UTC))
    return (min(latest, _LAST - AHEAD) + AHEAD).replace(tzinfo=None)


@dataclass(frozen=True)
class Account:
    """The rows of a source table by the time of their last change.

    Attributes:
        total: all of them.
        no_time: those without one.
        future: those that are stamped in the future.
        later: those after the window's end and not in the future: they are for later windows.
    """

    total: int
    no_time: int
    future: int
    later: int

    @property
    def outside(self) -> dict[str, int]:
        """The rows that lie in no window up to this one's end, by why; those of the past are left out."""
        every = {"no_time": self.no_time, "future": self.future, "later": self.later}
        return {why: rows for why, rows in every.items() if rows}


def take(cursor: Any, source: SourceTable, window: Window, future: datetime) -> Account:
    """Counts the source's rows, in one statement: they belong to one moment. It scans one column of the source."""
    by, end = source.changed_at.upper(), window.end.replace(tzinfo=None)
    query = (
        f"SELECT COUNT(*), COUNT_IF({by} IS NULL), COUNT_IF({by} >= %s), COUNT_IF({by} >= %s AND {by} < %s)"
        f" FROM {source.name}"
    )
    # The stand-in counts nothing as null.
    return Account(*(int(rows or 0) for rows in cursor.execute(query, (future, end, future)).fetchone()))


def refuse_fewer(source: SourceTable, total: int, known: int | None) -> None:
    """Refuses a source that lost more than `LARGEST_FALL` of its rows since the last read, or has none.

    Raises:
        DataError: it did.
    """
    if known is not None and total < known * (1 - LARGEST_FALL):
        raise DataError(
            f"snowflake: {source.name} has {total} rows and had {known} when it was last read. Nothing was written. "
            "Check whether it was truncated or is being loaded; if the loss is intended, run again with "
            "`--accept fewer_rows`."
        )
    if total == 0:
        raise DataError(
            f"snowflake: {source.name} has no rows at all. Nothing was written. Check that the source was loaded, and "
            "that the secret names the right database and schema; if it is meant to be empty, run again with "
            "`--accept fewer_rows`."
        )


def refuse_unread(source: SourceTable, rows: int, account: Account) -> None:
    """Refuses a read of everything that left rows out although the source stood still.

    Raises:
        DataError: it did.
    """
    due = account.total - account.later
    if rows != due:
        raise DataError(
            f"snowflake: {source.name} has {account.total} rows, of which {account.later} are for later windows, but "
            f"{rows} were read and not {due}. Nothing was written. Compare {source.changed_at.upper()} in the source "
            "with the bounds of the window."
        )
