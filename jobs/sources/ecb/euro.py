"""The currencies that the euro has replaced: from when on, and how many of their units a euro is for good.

Figures: Council Regulation (EC) No 2866/98 on the conversion rates, Article 1, as amended for each country that joined
later, Bulgaria being the last. ECB quotes none of these currencies after the day on which they were replaced, so that
its last floating quote says nothing about later days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Fixed:
    """An irrevocable rate.

    Attributes:
        since: the first day on which it counts.
        per_euro: units of the currency per euro, to all of the regulation's six digits.
    """

    since: date
    per_euro: Decimal


def _fixed(since: str, **per_euro: str) -> dict[str, Fixed]:
    return {ccy: Fixed(date.fromisoformat(since), Decimal(rate)) for ccy, rate in per_euro.items()}


REPLACED: Mapping[str, Fixed] = {
    **_fixed(
        "1999-01-01",
        ATS="13.7603", BEF="40.3399", DEM="1.95583", ESP="166.386", FIM="5.94573", FRF="6.55957", IEP="0.787564",
        ITL="1936.27", LUF="40.3399", NLG="2.20371", PTE="200.482",
    ),
    **_fixed("2001-01-01", GRD="340.750"),
    **_fixed("2007-01-01", SIT="239.640"),
    **_fixed("2008-01-01", CYP="0.585274", MTL="0.429300"),
    **_fixed("2009-01-01", SKK="30.1260"),
    **_fixed("2011-01-01", EEK="15.6466"),
    **_fixed("2014-01-01", LVL="0.702804"),
    **_fixed("2015-01-01", LTL="3.45280"),
    **_fixed("2023-01-01", HRK="7.53450"),
    **_fixed("2026-01-01", BGN="1.95583"),
}  # fmt: skip
