"""When alerts are told one by one, and when they are summed up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.alerts.severity import SEVERITIES
from jobs.lake.state import objects
from sluice_airflow import lake_objects
from sluice_airflow.alerts.storm import CALM, HOLD, MOST, RANK, SUM_UP, TELL, WINDOW, decide, flush

START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def played(*moments: tuple[float, str]) -> tuple[dict[str, Any], list[str], list[str]]:
    """Alerts at minutes after the start: the state after them, what became of each, and the lines of all summaries."""
    state, found, lines = CALM, [], []
    for number, (minutes, severity) in enumerate(moments):
        state, decision = decide(state, f"alert {number}", severity, START + timedelta(minutes=minutes))
        found.append(decision.what)
        lines += decision.lines
    return state, found, lines


def test_alerts_that_come_slowly_are_all_told() -> None:
    _, found, _ = played(*((minute * 1.1, "high") for minute in range(40)))
    assert set(found) == {TELL}


def test_storm_is_one_summary_and_later_one_for_each_window() -> None:
    _, found, lines = played(*((second / 60, "high") for second in range(0, 1500, 30)))
    assert found[:MOST] == [TELL] * MOST
    assert found[MOST:].count(SUM_UP) == 2
    assert set(found[MOST:]) == {SUM_UP, HOLD}
    assert len(lines) == len({line.split(" ", 1)[1] for line in lines})  # nothing is listed twice


def test_everything_is_told_or_listed_in_the_end() -> None:
    state, found, lines = played(*((second / 60, "high") for second in range(200)))
    after, decision = flush(state, START + WINDOW + timedelta(minutes=5))
    listed = {line.split(" ", 1)[1] for line in (*lines, *decision.lines)}
    told = {f"alert {number}" for number, what in enumerate(found) if what == TELL}
    assert listed | told == {f"alert {number}" for number in range(200)}
    assert flush(after, START + timedelta(hours=1))[1].what == HOLD


@pytest.mark.parametrize(("severity", "what"), [("critical", SUM_UP), ("high", HOLD), ("low", HOLD)])
def test_only_what_is_worse_is_summed_up_at_once(severity: str, what: str) -> None:
    _, found, _ = played(*[(0.0, "high")] * (MOST + 1), (0.5, severity))
    assert found[-2:] == [SUM_UP, what]


def test_after_a_storm_alerts_are_told_again() -> None:
    _, found, _ = played(*[(0.0, "high")] * (MOST + 1), (15.0, "high"))
    assert found[-1] == TELL


def test_what_a_plugin_can_t_import_is_equal() -> None:
    assert RANK == SEVERITIES
    assert lake_objects.CHANGED == objects.CHANGED
