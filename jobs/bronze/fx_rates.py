"""ECB euro reference rates, as published: `eurofxref-hist.zip`, the whole history in one CSV.

The feed can't be queried, so every read downloads all of it (600 kB). The window's days are kept and committed, and
earlier days that the feed has corrected since they were read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql.types import StructType, TimestampType

from jobs.lake import settings
from jobs.lake.errors import DataError
from jobs.lake.extract import Request, SourceRows
from jobs.lake.run import Window
from jobs.lake.schema import arrow, column, text
from jobs.sources.ecb import corrections, feed
from jobs.sources.ecb.corrections import Corrections

URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
BASE = "EUR"
NO_QUOTE = ("", "N/A")
LONGEST_STILL = timedelta(days=366)
NO_CORRECTIONS = Corrections(frozenset(), {})
SCHEMA = StructType(
    [
        text("as_of_date", "day of publication, YYYY-MM-DD", "public"),
        text("ccy", "ISO 4217 code", "public"),
        text("rate", "units of the currency per euro, as published", "public"),
        column("published_at", TimestampType(), "the feed's Last-Modified, UTC", "public"),
        text("withdrawn", "true when the feed no longer has the quote; the rate is the last that it had", "public"),
    ]
)


def extract(request: Request) -> SourceRows:
    """The rates of the window's days of publication, one row per day and currency, the euro itself included.

    Unless a backfill asks, it adds whole days before the window on which a quote was corrected since it was read, and
    one row for each quote that the feed no longer has.

    Returns:
        Facts: `source_rows`, the rows that the feed has of these days; `withdrawn_rows`, if any were added for quotes
        that are gone; of the whole feed `source_days` and `source_last_day`.

    Raises:
        TransientError: the feed can't be reached or answers with an error.
        DataError: the feed is not ECB's CSV, a line of it is broken or doubled (the message has the line's number),
            its time of publication can't be right, or days are gone that it had when it was last read (unless
            `fewer_rows` is accepted).
    """
    url = settings.replacement("FX_RATES_URL") or URL
    body, published_at = feed.download(url)
    quotes = {(day, ccy): rate for day, ccy, rate in parse(feed.unpack(body, url), url)}
    _refuse_stamp(published_at, max(day for day, _ in quotes), url)
    days = {day for day, _ in quotes}
    if "source_days" in request.known and "fewer_rows" not in request.accept:
        _refuse_lost_days(days, request.known, url)
    # A backfill reads a past window: other days are left to the daily run.
    corrected = corrections.find(request, quotes) if not request.exact else NO_CORRECTIONS
    wanted = {day for day in days if _inside(day, request.window)} | corrected.days
    rows = [_row(quote, rate, published_at) for quote, rate in quotes.items() if quote[0] in wanted]
    gone = [_row(quote, rate, published_at, "true") for quote, rate in corrected.withdrawn.items()]
    yield pa.Table.from_pylist(rows + gone, arrow(SCHEMA))
    facts = {"source_rows": len(rows), "source_days": len(days), "source_last_day": max(days).isoformat()}
    return facts | ({"withdrawn_rows": len(gone)} if gone else {})


def _row(quote: tuple[date, str], rate: str, published_at: datetime, withdrawn: str | None = None) -> dict[str, Any]:
    day, ccy = quote
    return {
        "as_of_date": day.isoformat(), "ccy": ccy, "rate": rate, "published_at": published_at, "withdrawn": withdrawn,
    }  # fmt: skip


def parse(text: str, url: str) -> Iterator[tuple[date, str, str]]:
    """Day, currency and rate of each quote; the rate is not judged here.

    Raises:
        DataError: no rows, another header, or a line with another number of fields, without a date, or with the date
            of another line.
    """
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
    except csv.Error:
        header = [text[:120]]
    currencies = header[1:-1] if header[-1:] == [""] else header[1:]
    distinct = {name for name in currencies if _is_code(name) and name != BASE}
    if header[:1] != ["Date"] or "USD" not in currencies or len(distinct) != len(currencies):
        raise DataError(
            f"ECB feed {url}: the header is {','.join(header)[:120]!r}, not 'Date,USD,…'. Nothing was written. "
            "Check the address, then whether ECB changed the format."
        )
    days: set[date] = set()
    while True:
        try:
            if (line := next(lines, None)) is None:
                break
            day = date.fromisoformat(line[0])
            if day in days:
                raise ValueError(f"{day} has a line already")
            rates = line[1 : 1 + len(currencies)]
            if len(line) not in (len(currencies) + 1, len(currencies) + 2) or any(line[1 + len(currencies) :]):
                raise ValueError(f"{len(line)} fields, the header has {len(currencies) + 1}")
        except (ValueError, IndexError, csv.Error) as error:
            raise DataError(
                f"ECB feed {url}: line {lines.line_num} is broken ({error}). Nothing was written. Compare it with "
                "ECB's site; run again when it is fixed."
            ) from error
        days.add(day)
        yield day, BASE, "1"
        yield from ((day, ccy, rate) for ccy, rate in zip(currencies, rates, strict=True) if rate not in NO_QUOTE)
    if not days:
        raise DataError(f"ECB feed {url} has no rates at all. Nothing was written. Check the address.")


def _refuse_stamp(published_at: datetime, newest: date, url: str) -> None:
    # By this time the newest rate wins: rates of the year 9999 would win against all later ones. No clock of ours
    # plays a part; a feed that has stood still for longer than this is no source of rates any more.
    if abs(published_at.date() - newest) > LONGEST_STILL:
        raise DataError(
            f"ECB feed {url}: the header Last-Modified says {published_at:%Y-%m-%d}, but the newest rates are of "
            f"{newest}. Nothing was written. Check the address, and what stands between it and this job, such as a "
            "proxy."
        )


def _refuse_lost_days(days: Collection[date], known: Mapping[str, Any], url: str) -> None:
    # Counted up to the last known day, because a new day would make up for a lost one. A history only grows, so that
    # even one lost day is too many.
    last = date.fromisoformat(known["source_last_day"])
    number = sum(day <= last for day in days)
    if number < known["source_days"]:
        raise DataError(
            f"ECB feed {url} has {number} days up to {last} and had {known['source_days']} when it was last read. "
            "Nothing was written. Compare it with ECB's site; if the loss is intended, run again with "
            "`--accept fewer_rows`."
        )


def _inside(day: date, window: Window) -> bool:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return moment < window.end and (window.start is None or moment >= window.start)


def _is_code(name: str) -> bool:
    return len(name) == 3 and name.isalpha() and name.isupper()
