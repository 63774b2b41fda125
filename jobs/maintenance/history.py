"""Folds old records of the ledger and of the gates' results into Delta tables: an object each becomes a file a month.

Three moves, each of which may be the last before a kill:

1. All records of a month's days come into the table in one commit, which replaces what it had of the month.
2. The view takes these days from the table, by one update of its Glue entry.
3. Objects are deleted once the table has them, and once no query can be left that began before the second move.

So a first run deletes nothing, and each later one what the run before has hidden. Queries see each record once at every
moment. An object that comes into a folded day after all (an old release's driver, a person) is taken in by the next
run; no query sees it until then.

delta-rs writes the tables: its commits on S3 are conditional, and it needs no JVM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import groupby

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from botocore.exceptions import ClientError
from deltalake import CommitProperties, DeltaTable, write_deltalake

from jobs.catalog import ops_tables, ops_views
from jobs.catalog.catalog import Catalog
from jobs.catalog.ops_tables import JsonTable
from jobs.lake import s3, settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import LakeError
from jobs.lake.run import Run
from jobs.lake.state import day_folders, history, leases, objects
from jobs.lake.state.leases import Lease
from jobs.maintenance import record_rows

# A query in Athena runs for half an hour; by a raised quota for four. What it has listed must be there until its end.
LONGEST_QUERY = timedelta(hours=4)
AT_ONCE = 16


def fold(run: Run) -> None:
    """Folds each kind of records. One that fails doesn't hold up the others. A dry run says what it would do.

    Raises:
        Exception: what kept the first of those that failed from being folded.
    """
    catalog = Catalog(boto3.client("glue"), settings.lake().bucket)
    failed: list[Exception] = []
    for kind in ops_tables.TABLES:
        try:
            print("\n".join(_plan(catalog, kind) if run.dry_run else _fold(run, catalog, kind)), flush=True)
        except Exception as error:  # raised once the other kind is folded
            print(f"{kind.name}: not folded: {type(error).__name__}: {error}", flush=True)
            failed.append(error)
    if failed:
        raise failed[0]


def _plan(catalog: Catalog, kind: JsonTable) -> Iterator[str]:
    """What a run would do; it changes nothing."""
    now = datetime.now(UTC)
    hidden = ops_views.hidden(catalog, kind, now - LONGEST_QUERY)
    folded, deleted, unread = 0, 0, list[str]()
    for month, known in _months(kind, now):
        arriving, bad = _arriving(kind, known, _month(kind, month))
        folded, unread = folded + arriving.num_rows, unread + bad
        deleted += sum(record_rows.day_of(kind, key) < hidden and key not in bad for key in known)
    yield f"{kind.name}: would fold {folded} records and delete {deleted} objects"
    yield from _warnings(kind, unread)


def _fold(run: Run, catalog: Catalog, kind: JsonTable) -> Iterator[str]:
    now = datetime.now(UTC)
    hidden = ops_views.hidden(catalog, kind, now - LONGEST_QUERY)
    folded, deleted, unread = 0, 0, list[str]()
    with leases.hold(run, history.name(kind.name)) as held:
        lease = held[history.name(kind.name)]
        yield from ops_views.register(catalog, kind)
        for month, known in _months(kind, now):
            present = _month(kind, month)
            arriving, bad = _arriving(kind, known, present)
            if arriving.num_rows:
                _commit(run, kind, lease, month, present, arriving)
            folded, unread = folded + arriving.num_rows, unread + bad
            deleted += _delete(kind, month, {k: v for k, v in known.items() if record_rows.day_of(kind, k) < hidden})
        yield ops_views.show(catalog, kind)
        files, gone = _vacuum(kind, lease)
    yield f"{kind.name}: {folded} records folded, {deleted} objects deleted; {files} files, {gone} old ones removed"
    yield from _warnings(kind, unread)


def _warnings(kind: JsonTable, unread: Sequence[str]) -> Iterator[str]:
    for key in unread:
        uri = f"s3://{settings.lake().bucket}/{key}"
        yield f"WARNING {uri} holds no record that {kind.name} can show. It stays there, and no query sees it."


def _months(kind: JsonTable, now: datetime) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The objects of the days that are to be folded, month by month, oldest first."""
    closed = f"{now.date() - history.KEPT}"
    days = [day for day in day_folders.listed(kind.folder) if day < closed]
    for month, of_month in groupby(days, key=lambda day: day[:7]):
        yield month, _read([f"{kind.folder}{day_folders.COLUMN}={day}/" for day in of_month])


def _read(folders: Sequence[str]) -> dict[str, bytes]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        keys = [key for found in pool.map(objects.keys, folders) for key in found if key.endswith(".json")]
        return {key: body for key, body in zip(keys, pool.map(_body, keys), strict=True) if body is not None}


def _body(key: str) -> bytes | None:
    try:
        return objects.read(key)
    except ClientError as error:
        if not s3.absent(error):
            raise
        return None  # a person has just deleted it


def _arriving(kind: JsonTable, known: Mapping[str, bytes], present: pa.Table) -> tuple[pa.Table, list[str]]:
    """Rows of the records that the table lacks or has otherwise, and the keys of objects that hold none."""
    folded = _contents(present)
    return record_rows.table(
        kind, present.schema, {key: body for key, body in known.items() if folded.get(key) != body.strip()}
    )


def _commit(run: Run, kind: JsonTable, lease: Lease, month: str, present: pa.Table, arriving: pa.Table) -> None:
    """Makes the month's rows these: what it had, and what comes, in one commit and one file."""
    replaced = pc.is_in(present[history.KEY], arriving[history.KEY].combine_chunks())
    whole = pa.concat_tables([present.filter(pc.invert(replaced)), arriving])
    record = CommitRecord.of(run, fencing=lease.fencing, facts={"month": month, "folded": arriving.num_rows})
    lease.renew()
    write_deltalake(
        _table(kind),
        whole.sort_by([(day_folders.COLUMN, "ascending"), (history.KEY, "ascending")]),
        mode="overwrite",
        predicate=f"{history.MONTH} = '{month}'",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": record.to_json()}),
    )


def _delete(kind: JsonTable, month: str, known: Mapping[str, bytes]) -> int:
    """Deletes those of these objects that the table has as they are, which it is asked anew; returns their number."""
    folded = _contents(_month(kind, month)) if known else {}
    there = [key for key, body in known.items() if folded.get(key) == body.strip()]
    objects.delete_all(there)
    return len(there)


def _vacuum(kind: JsonTable, lease: Lease) -> tuple[int, int]:
    """Removes files that the table has not needed for a week; returns the number of its files, and of these."""
    table = _table(kind)
    old = table.vacuum(dry_run=True)
    if old:
        lease.renew()
        table.vacuum(dry_run=False)
    return len(table.file_uris()), len(old)


def _table(kind: JsonTable) -> DeltaTable:
    found = log.open_table(settings.lake().uri(history.name(kind.name)))
    if found is None:
        raise LakeError(f"{history.name(kind.name)} is gone from the lake: restore its folder. Nothing was folded.")
    return found


def _month(kind: JsonTable, month: str) -> pa.Table:
    """The month's rows as they are now; none where nothing was folded yet."""
    found = log.open_table(settings.lake().uri(history.name(kind.name)))
    if found is None:
        return pa.schema(kind.history_schema().to_arrow()).empty_table()
    return log.rows(found).to_table(filter=ds.field(history.MONTH) == month)


def _contents(rows: pa.Table) -> dict[str, bytes]:
    lines = (line.encode() for line in rows[history.CONTENT].to_pylist())
    return dict(zip(rows[history.KEY].to_pylist(), lines, strict=True))
