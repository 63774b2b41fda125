"""What the pages show of a table, from its summary and its row in the registry. No input, no output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from quality_page import charts, words

WEEKS, DAYS, LATELY = 12, 84, 7
ENDS = ("written", "unchanged", "superseded", "quarantined", "dead_lettered")
EMPTY: Mapping[str, Any] = {
    "validated": None, "recent": [], "committed": None, "kept_out": None, "days": {}, "weeks": {},
}  # fmt: skip
Summary = Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """Something that is good or not: by a word, a shape, and the class that colours both.

    Attributes:
        kind: `passed`, `warned`, `refused`, or `unknown`.
        word: for a person.
        detail: more of it.
    """

    kind: str
    word: str
    detail: str = ""

    @property
    def shape(self) -> str:
        return {"passed": "✓", "warned": "▲", "refused": "■"}.get(self.kind, "○")


@dataclass(frozen=True)
class TablePage:
    """One table's figures, as both pages show them.

    Attributes:
        entry: its row in the registry.
        summary: as the job side wrote it.
        now: of the request, UTC.
    """

    entry: Mapping[str, Any]
    summary: Summary
    now: datetime

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def verdict(self) -> State:
        """What the newest validation said."""
        newest = self.summary["validated"]
        if newest is None:
            return State("unknown", "Not judged yet" if self.entry["judged"] else "No rules")
        return self.verdict_of(newest)

    @staticmethod
    def verdict_of(line: Mapping[str, Any]) -> State:
        """What a validation said."""
        if not line["success"]:
            return State("refused", "Refused")
        return State("warned", "Warned") if line["failed"] else State("passed", "Passed")

    @property
    def attention(self) -> str:
        """`refused` or `warned` if a person has to look, else empty."""
        kinds = (self.verdict.kind, self.conservation.kind)
        return next((kind for kind in ("refused", "warned") if kind in kinds), "")

    @property
    def judged_at(self) -> str | None:
        newest = self.summary["validated"]
        return newest["validated_at"] if newest else None

    @property
    def failing(self) -> list[dict[str, Any]]:
        """The rules that the newest validation found broken; the grave ones first."""
        results = (self.summary["validated"] or {}).get("results", [])
        broken = [{**each, "count": _count(each["observed"])} for each in results if not each["success"]]
        return sorted(broken, key=lambda each: each["severity"] != "critical")

    @property
    def conservation(self) -> State:
        """Whether every row that went in is accounted for: as the gate judged it, or by the newest commit's counts."""
        for each in (self.summary["validated"] or {}).get("results", []):
            if each["rule"] == "conservation":
                faults = str(each["observed"].get("faults", ""))
                return State("passed", "Balanced") if each["success"] else State("refused", "Broken", faults)
        commit = self.summary["committed"]
        if commit is None:
            return State("unknown", words.NOTHING)
        missing = commit["read"] - sum(commit[end] for end in ENDS)
        return State("refused", "Broken", f"{missing:,} missing") if missing else State("passed", "Balanced")

    @property
    def newest_data(self) -> Any:
        """The time of the newest row as a rule saw it; of bronze, the end of what was read of its source."""
        for each in (self.summary["validated"] or {}).get("results", []):
            if each["expectation"] == "expect_column_max_to_be_between" and "observed_value" in each["observed"]:
                return each["observed"]["observed_value"]
        return (self.summary["committed"] or {}).get("window_end")

    @property
    def committed_at(self) -> Any:
        return (self.summary["committed"] or {}).get("committed_at")

    @property
    def rows(self) -> int | None:
        found: int | None = (self.summary["committed"] or {}).get("table_rows")
        return found

    def lately(self, count: str) -> int:
        """One of the ledger's counts, summed over the last seven days."""
        days = words.days_before(self.now.date(), LATELY)
        return sum(self.summary["days"].get(day, {}).get("ledger", {}).get(count, 0) for day in days)

    @property
    def weeks(self) -> list[dict[str, Any]]:
        """Twelve weeks, oldest first, with their rates; a rate is None where nothing was judged or read."""
        found = []
        for monday in words.mondays_before(self.now.date(), WEEKS):
            week = self.summary["weeks"].get(monday, {})
            judged, read = week.get("judged", 0), week.get("read", 0)
            found.append(
                {
                    "monday": monday,
                    **{name: week.get(name, 0) for name in ("validations", "refused", "quarantined", "dead_lettered")},
                    "judged": judged,
                    "failed": week.get("failed", 0),
                    "read": read,
                    "pass_rate": 1 - week["failed"] / judged if judged else None,
                    "quarantine_rate": week["quarantined"] / read if read else None,
                }
            )
        return found

    @property
    def pass_chart(self) -> tuple[Markup, str, str]:
        """The pass rate of twelve weeks, and what its edges mean."""
        values = [week["pass_rate"] for week in self.weeks]
        low = min([0.9, *(int(value * 10) / 10 for value in values if value is not None)])
        chart = charts.line(values, low, 1.0, f"Pass rate by week: {_spoken(values)}")
        return chart, words.per_cent(1.0), words.per_cent(low, 0)

    @property
    def quarantine_chart(self) -> tuple[Markup, str, str]:
        """The quarantine rate of twelve weeks, and what its edges mean."""
        values = [week["quarantine_rate"] for week in self.weeks]
        high = max([0.01, *(value for value in values if value is not None)])
        chart = charts.line(values, 0.0, high, f"Quarantine rate by week: {_spoken(values)}")
        return chart, words.per_cent(high), words.per_cent(0.0)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Every rule that was judged within twelve weeks, with its days; what fails now comes first."""
        days = words.days_before(self.now.date(), DAYS)
        counts = [self.summary["days"].get(day, {}).get("results", {}).get("rules", {}) for day in days]
        now = {
            f"{each['severity']} {each['rule']}": each for each in (self.summary["validated"] or {}).get("results", [])
        }
        known = [*now, *sorted({rule for of_day in counts for rule in of_day} - set(now))]
        return sorted((_rule(rule, now.get(rule), counts, days) for rule in known), key=lambda rule: rule["rank"])

    def run_link(self, line: Mapping[str, Any]) -> str:
        """Airflow's page of the task that made a validation or a commit, from Airflow's root; empty for none.

        The task's page has its log and the link to its EMR job run.
        """
        if not line.get("run_id") or line.get("dag_id") in (None, "", "by_hand"):
            return ""
        step = str(line.get("step") or "")
        task = "gate.silver" if step == "gate" else step
        return (
            f"dags/{quote(line['dag_id'], safe='')}/runs/{quote(line['run_id'], safe='')}/tasks/{quote(task, safe='')}"
        )


def _rule(
    rule: str, newest: Mapping[str, Any] | None, counts: Sequence[Mapping[str, Any]], days: Sequence[str]
) -> dict[str, Any]:
    severity, _, name = rule.partition(" ")
    states = [_day(of_day.get(rule)) for of_day in counts]
    bad = [day for day, state in zip(days, states, strict=True) if state == charts.FAILED]
    judged = sum(state is not None for state in states)
    told = f"failed on {len(bad)} of {judged} days" + (f", last on {bad[-1]}" if bad else "")
    if newest is None:
        state = State("unknown", "Not judged")
    elif newest["success"]:
        state = State("passed", "Holds")
    else:
        state = State("refused" if severity == "critical" or newest["error"] else "warned", "Fails")
    return {
        "name": name,
        "severity": severity,
        "why": (newest or {}).get("why", ""),
        "state": state,
        "rank": {"refused": 0, "warned": 1}.get(state.kind, 2),
        "told": told,
        "chart": charts.strip(states, f"{name}: {told} it was judged"),
    }


def _day(outcomes: Sequence[int] | None) -> str | None:
    if not outcomes or not sum(outcomes):
        return None
    return charts.FAILED if outcomes[1] else charts.HELD


def _count(observed: Mapping[str, Any]) -> str:
    """How much of a rule's subject breaks it."""
    broken, of = observed.get("unexpected_count"), observed.get("element_count")
    if broken is not None and of:
        return f"{broken:,} of {of:,} rows ({words.per_cent(broken / of)})"
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in observed.items() if value is not None)


def _spoken(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "nothing in twelve weeks"
    return (
        f"lowest {words.per_cent(min(known))}, highest {words.per_cent(max(known))}, newest {words.per_cent(known[-1])}"
    )
