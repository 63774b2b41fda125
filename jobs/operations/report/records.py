"""What the lake recorded in a span of time: lines of the ledger, results of gates, rows in quarantine. No Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.run import utc
from jobs.lake.state import day_folders, objects, recorded

RESULTS = "gold/quality/"
AT_ONCE = 16

Record = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """A half-open interval of time, UTC."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def days(self) -> Iterator[str]:
        """The names of the day folders that it touches."""
        day = self.start
        while day.date() <= self.end.date():
            yield day_folders.of(day)
            day += timedelta(days=1)


def ledger(span: Span, *, streams: bool = True) -> list[Record]:
    """The ledger's records of commits in this span, oldest first; a stream leaves one a minute.

    Args:
        span: of the commits.
        streams: whether those of continuous tables are wanted.
    """
    continuous = {table.name for table in tables.every() if table.continuous}
    return _read(
        recorded.FOLDER, span, "committed_at", lambda key: streams or not continuous.intersection(key.split("/"))
    )


def results(span: Span) -> list[Record]:
    """The results of validations in this span, oldest first."""
    return _read(RESULTS, span, "validated_at", lambda _: True)


def quarantined(span: Span) -> dict[str, Counter[str]]:
    """Rows that came into quarantine in this span and are still there, by silver table and rule."""
    found = {}
    for table in tables.layer("silver"):
        rows = log.dataset(settings.lake().uri(quarantine.name(table)))
        if rows is not None:
            of_span = (pc.field("quarantined_at") >= span.start) & (pc.field("quarantined_at") < span.end)
            rules = rows.to_table(columns=["rule"], filter=of_span).column("rule").to_pylist()
            found[table.name] = Counter(rules)
    return found


def _read(folder: str, span: Span, moment: str, wanted: Callable[[str], bool]) -> list[Record]:
    keys = [key for day in span.days() for key in objects.keys(f"{folder}{day}/") if wanted(key)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [record for record in pool.map(objects.read_json, keys) if record]
    return sorted((one for one in found if span.holds(utc(one[moment]))), key=lambda one: str(one[moment]))
