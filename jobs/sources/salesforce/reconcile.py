"""Compares what Salesforce shows with what bronze holds, both ways, for what a read by time can't find.

A hard delete leaves nothing behind, and a record that comes into sight, by sharing or a permission, keeps its old time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from simple_salesforce.api import Salesforce

from jobs.lake import settings, staging
from jobs.lake.delta import log
from jobs.lake.errors import DataError
from jobs.lake.extract import Request
from jobs.lake.registry import Table
from jobs.lake.run import Window
from jobs.sources.salesforce import bulk, reading, rest
from jobs.sources.salesforce.sobject import SObject

READ_AT = "_ingested_at"
STATE = ("id", "system_modstamp", "is_deleted", READ_AT)
_STATES = pa.schema([("id", pa.string()), ("state", pa.string())])
_LISTED = pa.schema([("id", pa.string()), ("stamp", pa.string()), ("flag", pa.string())])
_LIVE, _DELETED = "1_live", "2_deleted"
_STAMP_LENGTH = len("2026-10-01T00:00:00.000")
# Beyond this share of the known records (and beyond a handful) a loss looks like a lost permission.
LARGEST_LOSS, HANDFUL = 0.1, 10
_FOLD_ROWS = 200_000


@dataclass(frozen=True)
class Differences:
    """What bronze lacks of what Salesforce shows, beyond the window that was read.

    Attributes:
        gone: one row for each record that bronze knows as live and Salesforce no longer has. It is the last known row
            with `is_deleted` true, and keeps the time of the record's last change: none of our own clocks plays a part.
        unread: ids of records that Salesforce shows and bronze does not hold as they are: they came into sight, or
            back into sight, with a time that was read past.
    """

    gone: pa.Table
    unread: list[str]


def differences(org: Salesforce, sobject: SObject, request: Request) -> Differences:
    """Compares all records in sight with all that bronze knows, both ways: id, time of the last change, deleted or not.

    The list covers every id that exists, whenever its record was changed, and even in the recycle bin. It is fetched
    after the window was read. So no existing id is missing from it, whatever happens between the list and the read.
    Records that changed after the window's end are left to the next window.

    It costs a count, a page for each 2,000 records or a Bulk 2.0 job, and a scan of four columns of the whole bronze
    table. Memory grows with the number of records.

    Args:
        org: a logged-in client.
        sobject: what is read.
        request: the window that was read just now. Its staged rows are known too. Rows of an earlier read of the same
            window are not, because this read replaces them. If it accepts `fewer_rows`, a great loss is accepted.

    Raises:
        DataError: too many records are gone to be plausible.
        TransientError: too few API calls are left to list all records.
    """
    table, window = request.table, request.window
    known = _newest(chain(_bronze(table, window, STATE), staging.read(table, window.batch_id, STATE[:-1])))
    counted = rest.count(org, sobject.name, "")
    listed = _listed(reading.states(org, sobject.name, counted, bulk=counted >= bulk.FROM_ROWS))
    live = known.filter(pc.ends_with(known["state"], _LIVE))["id"].combine_chunks()
    gone = live.filter(pc.invert(pc.is_in(live, value_set=listed["id"])))
    if len(gone) > max(HANDFUL, ceil(len(live) * LARGEST_LOSS)) and "fewer_rows" not in request.accept:
        raise DataError(
            f"salesforce: {len(gone)} of {len(live)} known records of {sobject.name} are gone. Nothing was written. "
            "Check whether the user may still see all of them (sharing, `View All`); if they were really deleted, run "
            "again with `--accept fewer_rows`."
        )
    return Differences(_last_rows(table, window, gone, sobject.arrow), _unread(listed, known, window))


def _listed(parts: Iterable[Sequence[Mapping[str, Any]]]) -> pa.Table:
    """Each record in sight: its id, its time and whether it is deleted, as texts that compare with those of bronze."""
    pieces = [_LISTED.empty_table()]
    for part in parts:
        columns = [[record[name] for record in part] for name in reading.STATE]
        ids, stamps, deleted = columns
        flags = [_DELETED if str(flag).lower() == "true" else _LIVE for flag in deleted]
        stamps = [str(stamp or "")[:_STAMP_LENGTH] for stamp in stamps]
        pieces.append(pa.table([ids, stamps, flags], schema=_LISTED))
    return pa.concat_tables(pieces).combine_chunks()


def _unread(listed: pa.Table, known: pa.Table, window: Window) -> list[str]:
    end = f"{window.end.replace(tzinfo=None).isoformat(timespec='milliseconds')}"
    due = listed.filter(pc.less(listed["stamp"], end))
    both = due.join(known, "id", join_type="left outer")
    held = pc.utf8_slice_codeunits(both["state"], 0, _STAMP_LENGTH)
    same = pc.and_(pc.equal(held, both["stamp"]), pc.ends_with(pc.fill_null(both["state"], ""), _LIVE))
    is_live = pc.equal(both["flag"], _LIVE)
    older = pc.less(held, both["stamp"])
    differs = pc.and_(pc.equal(held, both["stamp"]), pc.xor(same, is_live))
    unread = pc.or_(pc.fill_null(older, True), pc.fill_null(differs, True))
    return sorted(both.filter(unread)["id"].to_pylist())


def _bronze(table: Table, window: Window, columns: Iterable[str], where: Any = None) -> Iterator[pa.Table]:
    rows = log.dataset(settings.lake().uri(table.name))
    if rows is None:
        return
    names = [name for name in columns if name in rows.schema.names]
    others = pc.field("_batch_id") != window.batch_id
    for batch in rows.scanner(columns=names, filter=others if where is None else others & where).to_batches():
        yield pa.Table.from_batches([batch])


def _newest(pieces: Iterable[pa.Table]) -> pa.Table:
    """Each record's id and its newest state: by its time, then by when it was read; then deleted comes after live."""
    held, pending, rows = _STATES.empty_table(), list[pa.Table](), 0
    for piece in pieces:
        pending.append(pa.table({"id": piece["id"], "state": _state(piece)}).cast(_STATES))
        rows += piece.num_rows
        if rows > max(_FOLD_ROWS, held.num_rows):
            held, pending, rows = _folded([held, *pending]), [], 0
    return _folded([held, *pending])


def _folded(pieces: list[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(pieces)
    newest = rows.filter(rows["id"].is_valid()).group_by("id").aggregate([("state", "max")])
    return newest.select(["id", "state_max"]).rename_columns(["id", "state"])


def _state(rows: pa.Table) -> pa.ChunkedArray:
    """Text that sorts as newest-wins does. REST and Bulk 2.0 write UTC the same way up to the milliseconds.

    Staged rows have no time of reading yet: they were read after all others.
    """
    stamp = pc.utf8_slice_codeunits(rows["system_modstamp"].cast(pa.string()), 0, _STAMP_LENGTH)
    read = rows[READ_AT].cast(pa.string()) if READ_AT in rows.column_names else pa.nulls(len(rows), pa.string())
    deleted = pc.if_else(pc.equal(rows["is_deleted"].cast(pa.string()), "true"), _DELETED, _LIVE)
    parts = pc.fill_null(stamp, ""), pc.fill_null(read, "9999"), pc.fill_null(deleted, _LIVE)
    return pc.binary_join_element_wise(*parts, " ")


def _last_rows(table: Table, window: Window, gone: pa.Array, schema: pa.Schema) -> pa.Table:
    wanted = pc.field("id").isin(gone)
    pieces = _bronze(table, window, [*schema.names, READ_AT], wanted)
    staged = (part.filter(wanted) for part in staging.read(table, window.batch_id, schema.names))
    last: dict[str, dict[str, Any]] = {}
    for piece in chain(pieces, staged):
        states = _state(piece).to_pylist()
        for row, state in zip(piece.to_pylist(), states, strict=True):
            known = last.get(row["id"])
            if known is None or known["_state"] < state:
                last[row["id"]] = {**row, "_state": state}
    return pa.Table.from_pylist([{**last[name], "is_deleted": "true"} for name in sorted(last)], schema)
