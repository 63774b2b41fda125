from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from sluice_airflow.run_window import RunWindow

START, END = datetime(2026, 11, 19, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
ASKED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def run(run_type: str, start: datetime | None = START, end: datetime | None = END) -> Any:
    return SimpleNamespace(run_type=run_type, data_interval_start=start, data_interval_end=end, run_after=ASKED)


def words(window: RunWindow) -> str:
    return " ".join(window.arguments()).replace("T00:00:00+00:00", "")


def test_scheduled_run_reads_on_from_the_watermark() -> None:
    window = RunWindow.of(run("scheduled"), {})
    assert words(window) == "--window-start 2026-11-19 --window-end 2026-11-20"


def test_backfill_reads_exactly_its_interval() -> None:
    window = RunWindow.of(run("backfill"), {})
    assert words(window) == "--window-start 2026-11-19 --window-end 2026-11-20 --exact"


def test_manual_run_without_an_interval_reads_up_to_when_it_was_asked_for() -> None:
    window = RunWindow.of(run("manual", None, None), {"window_start": None, "window_end": None})
    assert window.arguments() == ["--window-end", "2026-11-21T09:30:00+00:00"]


def test_window_parameters_make_a_run_exact() -> None:
    asked = {"window_start": "2026-01-01T00:00:00Z", "window_end": "2026-02-01T00:00:00Z"}
    window = RunWindow.of(run("manual", None, None), asked)
    assert words(window) == "--window-start 2026-01-01 --window-end 2026-02-01 --exact"


def test_lone_bound_is_completed_by_the_runs_interval() -> None:
    assert RunWindow.of(run("manual"), {"window_start": "2026-11-01"}).end == END
    assert RunWindow.of(run("manual"), {"window_end": "2026-11-19T12:00:00Z"}).start == START


def test_end_alone_is_refused_where_there_is_no_interval() -> None:
    with pytest.raises(ValueError, match="set window_start"):
        RunWindow.of(run("manual", None, None), {"window_end": "2026-11-20"})


def test_bounds_without_a_zone_are_utc_and_others_are_converted() -> None:
    window = RunWindow.of(run("manual"), {"window_start": "2026-11-01"})
    assert window.start == datetime(2026, 11, 1, tzinfo=UTC)
    elsewhere = RunWindow(START.astimezone(timezone(timedelta(hours=9))), END)
    assert words(elsewhere) == "--window-start 2026-11-19 --window-end 2026-11-20"


def test_empty_and_reversed_windows_are_refused() -> None:
    for bound in ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"):
        with pytest.raises(ValueError, match="is not before"):
            RunWindow.of(run("manual"), {"window_start": bound})


def test_full_refresh_is_passed_on_but_not_together_with_a_window() -> None:
    assert RunWindow.of(run("manual"), {"full_refresh": True}).arguments()[-1] == "--full-refresh"
    with pytest.raises(ValueError, match="choose one"):
        RunWindow.of(run("backfill"), {"full_refresh": True})
