"""Keeps `ops/quality/<table>.json` up to date with the results and the ledger: see `dq.summary`.

Each step rolls up its own table, and the gate those that it judged or that a stream writes. It lists today's folder of
each kind and reads what is new there. Once a day it compares the folders of the last week too, so that a record that
was written late is counted; a day that differs is counted again. A summary that is missing is built anew, also from
records that housekeeping has folded into a table.

Two who roll up at once can't mix: the object is written only if it is still the one that was read. A kill leaves the
former summary, and the next roll-up goes on from there.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow.dataset as ds

from dq import summary
from dq.summary import Named, Summary
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.registry import Table
from jobs.lake.state import objects
from jobs.lake.state.day_folders import COLUMN

TRIES = 5
LATE_DAYS = 7  # records and results stay objects for so long; older ones may be folded into a table
AT_ONCE = 8


@dataclass(frozen=True)
class Kind:
    """What is rolled up.

    Attributes:
        name: in the summary.
        folder: with a folder for each day.
        own: from a table to its folder within a day's.
        folded: the table into which old ones are folded: its rows have the object's key and content.
        add: counts some.
    """

    name: str
    folder: str
    own: Callable[[Table], str]
    folded: str
    add: Callable[..., None]

    def prefix(self, table: Table, day: str) -> str:
        return f"{self.folder}{COLUMN}={day}/{self.own(table)}/"


KINDS = (
    Kind("results", "gold/quality/", lambda table: table.short, "ops.dq_results_history", summary.add_results),
    Kind("ledger", "ops/run_ledger/", lambda table: table.name, "ops.run_ledger_history", summary.add_records),
)


def roll_up(names: Iterable[str]) -> None:
    """Brings the summaries of these tables up to date. No failure here fails a step: the next roll-up does it all."""
    for name in names:
        try:
            _one(tables.table(name), datetime.now(UTC).date())
        except Exception as error:  # a page must close no gate
            print(f"{summary.key(name)} is not up to date: {type(error).__name__}: {error}", flush=True)


def write_registry() -> None:
    """Writes what readers need to know of the registry, if it has changed. A failure fails no step."""
    try:
        wanted = summary.registry()
        if objects.read_json(summary.REGISTRY) != wanted:
            objects.write_json(summary.REGISTRY, wanted)
    except Exception as error:  # as above
        print(f"{summary.REGISTRY} is not up to date: {type(error).__name__}: {error}", flush=True)


def _one(table: Table, today: date) -> None:
    for _ in range(TRIES):
        known, etag = objects.read_json_with_etag(summary.key(table.name)) or (None, None)
        is_ours = known is not None and known.get("format") == summary.FORMAT
        before: Summary = known if known is not None and is_ours else summary.empty(table.name)
        after = brought_up_to_date(before, table, today)
        if after == before or objects.write_json_if(summary.key(table.name), after, etag=etag) is not None:
            return
    print(f"{summary.key(table.name)}: others wrote it {TRIES} times; the next roll-up goes on", flush=True)


def brought_up_to_date(before: Summary, table: Table, today: date) -> Summary:
    """The summary with everything that the lake has; `before` stays as it is."""
    after = copy.deepcopy(before)
    for kind in KINDS:
        folded = {} if before["looked"] else _folded(kind, table, today)
        for day in _days(kind, before["looked"], today, folded):
            _count(after, kind, table, day, folded.get(day, {}))
    if table.layer == "silver":
        after["kept_out"] = quarantine.total(table)
    summary.finish(after, today)
    return after


def _days(kind: Kind, looked: str, today: date, folded: Iterable[str]) -> list[str]:
    """The days whose folders have to be looked at, oldest first."""
    if looked == today.isoformat():
        return [looked]
    last = date.fromisoformat(looked) if looked else date.min
    first = max(min(last, today - timedelta(days=LATE_DAYS)), today - timedelta(days=summary.DAYS - 1)).isoformat()
    begin = f"{kind.folder}{COLUMN}="
    there = {found.removeprefix(begin).rstrip("/") for found in objects.folders(begin)}
    return sorted(day for day in there | set(folded) if first <= day <= today.isoformat())


def _count(after: Summary, kind: Kind, table: Table, day: str, folded: Mapping[str, str]) -> None:
    """Counts the objects of a day that are not in the summary yet."""
    known = summary.day_of(after, day, kind.name)
    names = sorted({*objects.keys(kind.prefix(table, day)), *folded})
    if len(names) < known["n"] or not names:
        return  # they are in a table now
    again = known["n"] > 0 and names[known["n"] - 1] != known["last"]
    if new := names if again else names[known["n"] :]:
        kind.add(after, day, _read(new, folded), again=again)


def _read(names: Sequence[str], folded: Mapping[str, str]) -> list[Named]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda name: json.loads(folded[name]) if name in folded else objects.read_json(name), names)
        return [(name, content) for name, content in zip(names, found, strict=True) if content is not None]


def _folded(kind: Kind, table: Table, today: date) -> dict[str, dict[str, str]]:
    """What was folded of the last twelve weeks: by day, the content of each object by its key."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    is_there = f"{kind.folded.replace('.', '/')}/" in objects.folders("ops/")  # cheaper than to open a table
    if is_there and (rows := log.dataset(settings.lake().uri(kind.folded))):
        first = (today - timedelta(days=summary.DAYS - 1)).isoformat()
        wanted = (ds.field("table_name") == table.name) & (ds.field(COLUMN) >= first)
        for row in rows.to_table(columns=[COLUMN, "object_key", "content"], filter=wanted).to_pylist():
            found[row[COLUMN]][row["object_key"]] = row["content"]
    return found
