"""Weeks of a table's quality, and what one of them says against the weeks before. Standard library only.

The alert of the week and the quality page both show these figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Any

WEEKS = 12
BEFORE = 4  # weeks that a week is held against
# A change that is told: in points of the pass rate, and in points of the quarantine rate.
WORSE_PASS, WORSE_QUARANTINE = 0.01, 0.005


@dataclass(frozen=True)
class Week:
    """One week from Monday to Sunday, UTC.

    Attributes:
        validations: how often the table was judged.
        refused: of these, how often a critical rule failed or could not be judged.
        judged: rules that were judged, each time counted.
        failed: of these, failed ones of any severity.
        read: rows that steps read.
        quarantined: of these, rows that a rule split off.
        dead_lettered: of these, messages that could not be read.
    """

    validations: int = 0
    refused: int = 0
    judged: int = 0
    failed: int = 0
    read: int = 0
    quarantined: int = 0
    dead_lettered: int = 0

    def __add__(self, other: Week) -> Week:
        return Week(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(Week)})

    @property
    def pass_rate(self) -> float | None:
        """Share of the judged rules that held, 0 to 1; None if none was judged."""
        return 1 - self.failed / self.judged if self.judged else None

    @property
    def quarantine_rate(self) -> float | None:
        """Share of the rows read that were split off, 0 to 1; None if none was read."""
        return self.quarantined / self.read if self.read else None


@dataclass(frozen=True)
class Trend:
    """A table's week against the mean of the weeks before it.

    Attributes:
        table: its registry name.
        monday: first day of the week.
        week: the week.
        before: the sum of up to `BEFORE` weeks before it, without weeks in which nothing happened.
    """

    table: str
    monday: date
    week: Week
    before: Week

    @property
    def worse(self) -> bool:
        """Whether more rules failed or more rows were split off than before, by more than a little."""
        return self.week.refused > 0 or any(
            change is not None and change > limit
            for change, limit in (
                (_difference(self.before.pass_rate, self.week.pass_rate), WORSE_PASS),
                (_difference(self.week.quarantine_rate, self.before.quarantine_rate), WORSE_QUARANTINE),
            )
        )

    @property
    def text(self) -> str:
        """One line for a person; it holds counts and rates alone."""
        if self.week == Week():
            return f"{self.table}: nothing was read or judged"
        parts = []
        if self.week.judged:
            times = f"{self.week.validations} validation{'' if self.week.validations == 1 else 's'}"
            refused = f", {self.week.refused} refused" if self.week.refused else ""
            passed = _against(self.week.pass_rate, self.before.pass_rate)
            parts.append(f"{passed} of rules held in {times}{refused}")
        if self.week.read:
            split = _against(self.week.quarantine_rate, self.before.quarantine_rate)
            parts.append(f"{split} of {self.week.read:,} rows quarantined")
        if self.week.dead_lettered:
            parts.append(f"{self.week.dead_lettered:,} messages dead-lettered")
        return f"{self.table}: {'; '.join(parts)}"

    def record(self) -> dict[str, Any]:
        """The figures as JSON."""
        rates = {
            "pass_rate": self.week.pass_rate,
            "pass_rate_before": self.before.pass_rate,
            "quarantine_rate": self.week.quarantine_rate,
            "quarantine_rate_before": self.before.quarantine_rate,
        }
        return {"table": self.table, "monday": self.monday.isoformat(), **asdict(self.week), **rates}


def of(summary: Mapping[str, Any], day: date) -> Trend:
    """The trend of the last whole week before a day.

    Args:
        summary: of a table, as `dq.summary` makes it: `ops/quality/<table>.json`.
        day: on any day of a week, the week before is meant.
    """
    monday = _monday(day) - timedelta(days=7)
    known = weeks(summary["days"])
    before = [known.get(monday - timedelta(days=7 * back), Week()) for back in range(1, BEFORE + 1)]
    return Trend(summary["table"], monday, known.get(monday, Week()), sum(before, Week()))


def weeks(days: Mapping[str, Mapping[str, Any]]) -> dict[date, Week]:
    """The weeks in which something happened, by their Mondays.

    Args:
        days: of a summary, by day `YYYY-MM-DD`.
    """
    found: dict[date, Week] = {}
    for day, kinds in sorted(days.items()):
        results, ledger = kinds.get("results", {}), kinds.get("ledger", {})
        rules = results.get("rules", {}).values()
        of_day = Week(
            validations=results.get("validations", 0),
            refused=results.get("refused", 0),
            judged=sum(held + failed for held, failed in rules),
            failed=sum(failed for _, failed in rules),
            read=ledger.get("read", 0),
            quarantined=ledger.get("quarantined", 0),
            dead_lettered=ledger.get("dead_lettered", 0),
        )
        monday = _monday(date.fromisoformat(day))
        found[monday] = found.get(monday, Week()) + of_day
    return found


def text(trends: list[Trend]) -> str:
    """The week of all tables: what got worse comes first."""
    monday = trends[0].monday if trends else None
    worse = [trend for trend in trends if trend.worse]
    head = f"Data quality in the week of {monday}: {len(worse)} of {len(trends)} tables got worse"
    return "\n".join([head, *(f"- {trend.text}" for trend in sorted(trends, key=lambda one: not one.worse))])


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _difference(more: float | None, less: float | None) -> float | None:
    return None if more is None or less is None else more - less


def _against(now: float | None, before: float | None) -> str:
    was = "" if before is None else f" ({_per_cent(before)} in the {BEFORE} weeks before)"
    return f"{_per_cent(now or 0.0)}{was}"


def _per_cent(share: float) -> str:
    """Never rounded up to all, nor down to none."""
    if 0 < share < 0.0001 or 0.9999 < share < 1:
        return "under 0.01 %" if share < 0.5 else "over 99.99 %"
    return f"{100 * share:.2f} %"
