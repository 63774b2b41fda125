"""Which currency was in use on which day, by Unicode's CLDR, which Babel carries.

A list of today's ISO codes would refuse what was right when it was ordered: HRK until January 2023, BGN until January
2026. It would also take XCG for an order of 2020.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from babel.core import get_global

_NEVER = (date.max, date.min)
_NO_CODE = {"CNH"}  # traders' name for the yuan outside of China; ISO 4217 has none


def in_use(code: str, ordered: date, at: date) -> bool:
    """Whether ISO 4217's code was in use on one of the days. Fund and metal codes, which CLDR does not date, always."""
    first, last = USED.get(code, _NEVER)
    return first <= ordered <= last or first <= at <= last


def _uses() -> Iterator[tuple[str, date, date]]:
    for uses in get_global("territory_currencies").values():
        for code, first, last, _ in uses:
            yield code, date(*first) if first else date.min, date(*last) if last else date.max


def _used() -> dict[str, tuple[date, date]]:
    """For each code, the first day on which a territory used it, and the last one."""
    found: dict[str, tuple[date, date]] = {}
    for code, first, last in _uses():
        known = found.get(code, (first, last))
        found[code] = min(known[0], first), max(known[1], last)
    return {code: days for code, days in found.items() if code not in _NO_CODE}


USED = _used()
