"""More alerts than a person can read become one summary.

Within `WINDOW`, `MOST` alerts are told one by one. Those after them are held and summed up: at once, then after each
further `WINDOW`, and at once again when something worse comes. What was told and what is held is one object in the
lake.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_airflow.lake_objects import LakeObjects

KEY = "ops/alerts/storm.json"
MOST = 10
WINDOW = timedelta(minutes=10)
TELL, HOLD, SUM_UP = "tell", "hold", "sum up"
RANK = ("critical", "high", "medium", "low")  # as `jobs.alerts.severity.SEVERITIES`; a test holds the two equal
TRIES = 20
SHOWN = 20  # lines of a summary

State = dict[str, Any]
CALM: State = {"told": [], "held": [], "summed_at": None, "severity": None}


@dataclass(frozen=True)
class Decision:
    """What to do with an alert.

    Attributes:
        what: `TELL` it, `HOLD` it, or `SUM_UP`.
        lines: of the summary: what was told and held in this storm.
        severity: of the summary.
    """

    what: str
    lines: tuple[str, ...] = ()
    severity: str = ""


def decide(state: State, line: str, severity: str, now: datetime) -> tuple[State, Decision]:
    """What becomes of an alert, and the state after it."""
    recent = [one for one in state["told"] if _moment(one["at"]) > now - WINDOW]
    if not state["held"] and not _summed_lately(state, now):
        if len(recent) < MOST:
            told = [*recent, {"at": now.isoformat(), "line": line, "severity": severity}]
            return {**CALM, "told": told}, Decision(TELL)
        state = {**state, "summed_at": None, "severity": None}
    held = [*state["held"], {"at": now.isoformat(), "line": line, "severity": severity}]
    state = {**state, "told": recent, "held": held}
    worse = state["severity"] is None or RANK.index(severity) < RANK.index(state["severity"])
    return _sum_up(state, now) if worse or not _summed_lately(state, now) else (state, Decision(HOLD))


def flush(state: State, now: datetime) -> tuple[State, Decision]:
    """What becomes of alerts that have been held for long enough, when no other comes."""
    return _sum_up(state, now) if state["held"] and not _summed_lately(state, now) else (state, Decision(HOLD))


def _sum_up(state: State, now: datetime) -> tuple[State, Decision]:
    shown = [*([] if state["summed_at"] else state["told"]), *state["held"]]
    severity = min((one["severity"] for one in state["held"]), key=RANK.index)
    lines = tuple(f"{one['at'][11:16]} {one['line']}" for one in shown)
    left = {**state, "held": [], "summed_at": now.isoformat(), "severity": severity}
    return left, Decision(SUM_UP, lines, severity)


def _summed_lately(state: State, now: datetime) -> bool:
    return bool(state["summed_at"]) and _moment(state["summed_at"]) > now - WINDOW


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Storm:
    """The state in the lake."""

    objects: LakeObjects

    def take(self, line: str, severity: str) -> Decision:
        """What is to become of an alert."""
        return self._change(lambda state: decide(state, line, severity, datetime.now(UTC)))

    def flush(self) -> Decision:
        """Whether what is held has to be summed up now."""
        return self._change(lambda state: flush(state, datetime.now(UTC)))

    def _change(self, change: Callable[[State], tuple[State, Decision]]) -> Decision:
        for _ in range(TRIES):
            found, etag = self.objects.read_with_etag(KEY)
            before = found or CALM
            state, decision = change(before)
            if state == before or self.objects.write_json_if(KEY, state, etag=etag):
                return decision
            time.sleep(random.uniform(0.02, 0.3))  # noqa: S311 - spreads tasks that fail at once
        return Decision(TELL)  # better twice than never
