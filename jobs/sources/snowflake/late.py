"""Finds the rows that no window could read: loaded late with an old time, without a time, or with one in the future.

Both sides count and hash their keys and times by day; only days that differ are read again, and of those only the rows
that bronze lacks are kept. A day is a slice of 24 hours UTC of the time of the last change; the rows without a time are
a slice, and so are those of the future. Rows of the same key and time count as held if bronze has one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.lake.extract import Request
from jobs.sources.snowflake import reading
from jobs.sources.snowflake.reading import SourceTable

_MICROSECONDS = 86_400_000_000  # of a day
_EPOCH = date(1970, 1, 1)
_FIRST_DAY = date.min.toordinal() - _EPOCH.toordinal()
# Hashes are taken modulo the largest prime below 2^32, so that their sums fit any integer.
_PRIME = 4_294_967_291
# The slices that are no days: numbers that no day has.
_NO_TIME, _FUTURE = -(10**9), 10**9
_FOLD_ROWS = 500_000
# So many days are compared row by row at once: memory holds their keys and times.
_LONGEST_RUN = 31

Digest = tuple[int, int]  # number of rows, and the sum of their hashes


@dataclass(frozen=True)
class Held:
    """What bronze holds of a source table.

    Attributes:
        bronze: the bronze table.
        source: the source table.
        request: of the read that is under way. Rows of an earlier read of its window don't count, as it replaces them.
        stamps: key and time of each row that it has read so far.
    """

    bronze: ds.Dataset
    source: SourceTable
    request: Request
    stamps: list[pa.Table]

    def slices(self, start: datetime, future: datetime) -> dict[int, Digest]:
        """The digest of each slice, as the source would have it if nothing was missed.

        Of each key the newest row counts that is not of the future. It scans three columns of bronze; memory grows
        with the number of keys, some 100 bytes for each.
        """
        newest, pending, rows = _fold([], future), list[pa.Table](), 0
        for piece in chain(self._pieces(), self.stamps):
            pending.append(self._named(piece))
            rows += piece.num_rows
            if rows > max(_FOLD_ROWS, newest.num_rows):
                newest, pending, rows = _fold([newest, *pending], future), [], 0
        newest = _fold([newest, *pending], future)
        before = _number(start)
        found: dict[int, Digest] = {}
        columns = newest["key"].to_pylist(), newest["at"].to_pylist(), newest["future"].to_pylist()
        for key, at, is_future in zip(*columns, strict=True):
            if at is not None and not is_future and at >= before:
                continue  # the window has read it
            number = _NO_TIME if at is None else _FUTURE if is_future else at // _MICROSECONDS
            count, total = found.get(number, (0, 0))
            found[number] = count + 1, total + _hash(f"{key or ''}/{'' if at is None else at}")
        return found

    def lacks(self, part: pa.Table, known: pa.Array) -> pa.Table:
        """The rows of a part that are not among the known ones."""
        return part.filter(pc.invert(pc.is_in(_texts(self._named(part)), value_set=known)))

    def known(self, condition: ds.Expression) -> pa.Array:
        """Key and time, as text, of each row of bronze that meets a condition or has no time."""
        no_time = ds.field(self.source.changed_at).is_null()
        texts = [_texts(self._named(piece)) for piece in self._pieces(condition | no_time)]
        return pa.chunked_array(texts, pa.string()).combine_chunks()

    def _pieces(self, condition: ds.Expression | None = None) -> Iterator[pa.Table]:
        others = ds.field("_batch_id") != self.request.window.batch_id
        chosen = others if condition is None else others & condition
        columns = [self.source.key, self.source.changed_at]
        for batch in self.bronze.scanner(columns=columns, filter=chosen).to_batches():
            yield pa.Table.from_batches([batch])

    def _named(self, rows: pa.Table) -> pa.Table:
        at = rows[self.source.changed_at].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        return pa.table({"key": rows[self.source.key].cast(pa.string()), "at": at})


def rows(connection: Any, held: Held, future: datetime) -> Iterator[tuple[pa.Table, str]]:
    """The source's rows that bronze lacks and no window up to now will read, each part with the days it is of.

    It costs an aggregate over two columns of the source, and a scan of three columns of bronze. Beyond that, cost grows
    with the days that differ: late rows make one differ, and so do orders that changed or were deleted since the window
    ended, or whose key is there twice.

    Args:
        connection: to Snowflake.
        held: what bronze holds.
        future: from when on a stamp lies in the future, without a zone, UTC.
    """
    source, start = held.source, held.request.window.start
    if start is None:
        return  # everything was read
    with connection.cursor() as cursor:
        theirs = _slices(cursor, source, start, future)
    ours = held.slices(start, future)
    by, field = source.changed_at.upper(), ds.field(source.changed_at)
    where: str
    values: tuple[datetime, ...]
    for first, last in _runs(number for number, digest in theirs.items() if ours.get(number) != digest):
        where, values, condition = f"{by} IS NULL", (), field.is_null()
        if first == _FUTURE:
            where, values, condition = f"{by} >= %s", (future,), field >= _scalar(future)
        elif first != _NO_TIME:
            end = min(_midnight(last + 1), start.replace(tzinfo=None))
            where, values, condition = f"{by} < %s", (end,), field < _scalar(end)
            if first >= _FIRST_DAY:
                where, values = f"{where} AND {by} >= %s", (*values, _midnight(first))
                condition &= field >= _scalar(_midnight(first))
        known = held.known(condition)
        for part in reading.select(connection, source, where, values):
            missing = held.lacks(part, known)
            if missing.num_rows:
                yield missing, _name(first, last)


def _slices(cursor: Any, source: SourceTable, start: datetime, future: datetime) -> dict[int, Digest]:
    by = source.changed_at.upper()
    at = f"DATE_PART(EPOCH_MICROSECOND, {by})"
    # Counted from year 1, so that times before 1970 are not rounded up; and without FLOOR of a quotient, which
    # Snowflake has rounded to six places before.
    since = f"({at} + {_FIRST_DAY * -_MICROSECONDS})"
    number = (
        f"CASE WHEN {by} IS NULL THEN {_NO_TIME} WHEN {by} >= %s THEN {_FUTURE}"
        f" ELSE ({since} - MOD({since}, {_MICROSECONDS})) / {_MICROSECONDS} + {_FIRST_DAY} END"
    )
    text = f"COALESCE(CAST({source.key.upper()} AS VARCHAR), '') || '/' || COALESCE(CAST({at} AS VARCHAR), '')"
    query = (
        f"SELECT {number}, COUNT(*), CAST(SUM(MOD(MD5_NUMBER_LOWER64({text}), {_PRIME})) AS NUMBER(38, 0))"
        f" FROM {source.name} WHERE {by} IS NULL OR {by} < %s OR {by} >= %s GROUP BY 1"
    )
    values = (future, start.replace(tzinfo=None), future)
    return {round(day): (int(count), int(total)) for day, count, total in cursor.execute(query, values).fetchall()}


def _fold(pieces: list[pa.Table], future: datetime) -> pa.Table:
    """Of each key the newest row of the past, the newest of the future, and one without a time."""
    rows = pa.concat_tables([_FOLDED.empty_table(), *(_with_kind(piece, future) for piece in pieces)])
    newest = rows.group_by(["key", "future", "no_time"]).aggregate([("at", "max")])
    return newest.select(["key", "at_max", "future", "no_time"]).rename_columns(_FOLDED.names)


_FOLDED = pa.schema([("key", pa.string()), ("at", pa.int64()), ("future", pa.bool_()), ("no_time", pa.bool_())])


def _with_kind(rows: pa.Table, future: datetime) -> pa.Table:
    is_future = pc.fill_null(pc.greater_equal(rows["at"], _number(future.replace(tzinfo=UTC))), False)
    return pa.table([rows["key"], rows["at"], is_future, pc.is_null(rows["at"])], schema=_FOLDED)


def _texts(rows: pa.Table) -> pa.Array:
    key, at = pc.fill_null(rows["key"], ""), pc.fill_null(rows["at"].cast(pa.string()), "")
    return pc.binary_join_element_wise(key, at, "/").combine_chunks()


def _hash(text: str) -> int:
    """As Snowflake's `MOD(MD5_NUMBER_LOWER64(text), _PRIME)`."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:]) % _PRIME


def _number(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _midnight(day: int) -> datetime:
    """When a day begins, without a zone; days that Python does not know are moved to its first."""
    return datetime.combine(_day(day), datetime.min.time())


def _day(number: int) -> date:
    return date.fromordinal(max(1, min(date.max.toordinal(), _EPOCH.toordinal() + number)))


def _scalar(moment: datetime) -> pa.Scalar:
    return pa.scalar(moment.replace(tzinfo=UTC), pa.timestamp("us", "UTC"))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring days together, `_LONGEST_RUN` at most: the first and the last of each run."""
    first = last = None
    for number in sorted(numbers):
        if first is not None and last is not None:
            if number == last + 1 and number - first < _LONGEST_RUN:
                last = number
                continue
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last


def _name(first: int, last: int) -> str:
    if first in (_NO_TIME, _FUTURE):
        return "no time" if first == _NO_TIME else "future"
    return f"{_day(first)}" if first == last else f"{_day(first)} to {_day(last)}"
