"""What ECB's feed says now of days that were read before: quotes that were revised, and quotes that are gone.

Every read has all of history, so that a correction of any age is found, and not only one within the overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow.dataset as ds

from jobs.lake.extract import Request

Quotes = Mapping[tuple[date, str], str]  # day and currency -> units per euro, as published


@dataclass(frozen=True)
class Corrections:
    """What differs from the newest rows of bronze.

    Attributes:
        days: on which a quote was revised, came late, or is gone.
        withdrawn: the quotes that are gone, as they were last published.
    """

    days: frozenset[date]
    withdrawn: Quotes


def find(request: Request, feed: Quotes) -> Corrections:
    """Compares the feed with what bronze last read. Days from the window's end on are left to later runs.

    Cost grows with the bronze table: five columns of it are read, beside a feed that comes whole each time.

    Args:
        request: what is read; an earlier read of the same window is replaced, and so does not count.
        feed: all quotes of the feed.
    """
    end = request.window.end.date()
    known = _known(request)
    withdrawn = {quote: rate for quote, (rate, live) in known.items() if live and quote not in feed and quote[0] < end}
    if not known:
        return Corrections(frozenset(), {})
    revised = {day for (day, ccy), rate in feed.items() if day < end and known.get((day, ccy)) != (rate, True)}
    return Corrections(frozenset(revised | {day for day, _ in withdrawn}), withdrawn)


def _known(request: Request) -> dict[tuple[date, str], tuple[str, bool]]:
    """The rate that bronze last read of each quote, and whether the feed had it then."""
    rows = request.bronze()
    if rows is None:
        return {}
    columns = ["as_of_date", "ccy", "rate", "published_at", "_ingested_at", "withdrawn"]
    others = rows.to_table(
        columns=[name for name in columns if name in rows.schema.names],  # 0.1.0 knew no withdrawn quotes
        filter=ds.field("_batch_id") != request.window.batch_id,
    )
    newest: dict[tuple[date, str], tuple[str, bool]] = {}
    for row in others.sort_by([("published_at", "ascending"), ("_ingested_at", "ascending")]).to_pylist():
        newest[date.fromisoformat(row["as_of_date"]), row["ccy"]] = row["rate"], row.get("withdrawn") != "true"
    return newest
