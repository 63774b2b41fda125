"""The fixed rates of the euro, against ECB's own quotes of the currencies before they were replaced."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from infra.local.sources.ecb.history import bundled
from jobs.sources.ecb.euro import REPLACED


def test_each_quoted_currency_ended_near_its_fixed_rate_on_its_last_day() -> None:
    """A slip in a figure or a date shows: each was quoted close to its rate until the end of the year before.

    The eleven of 1999 had no quotes, and ECB's file has none of the drachma.
    """
    ended = {}
    for row in csv.DictReader(io.StringIO(bundled())):
        for ccy in REPLACED.keys() - ended.keys():
            if row.get(ccy) not in (None, "", "N/A"):
                ended[ccy] = (row["Date"], float(row[ccy]))
    assert {"CYP", "EEK", "HRK", "LTL", "LVL", "MTL", "SIT", "SKK", "BGN"} <= {*ended}

    for ccy, (day, quote) in ended.items():
        fixed = REPLACED[ccy]
        assert str(fixed.since - timedelta(days=5)) <= day < str(fixed.since), ccy
        assert abs(quote / float(fixed.per_euro) - 1) < 0.005, ccy


def test_rates_have_six_digits_as_the_regulation_asks() -> None:
    assert {len(fixed.per_euro.as_tuple().digits) for fixed in REPLACED.values()} == {6}
