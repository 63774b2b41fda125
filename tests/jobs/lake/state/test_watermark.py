"""Which window a run reads, and when the watermark moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.run import Run, Window
from jobs.lake.state import objects, watermark
from tests.jobs.lakehouse import ORDERS, at, commit_window, put, version

TABLE = tables.table(ORDERS)
OVERLAP = timedelta(hours=TABLE.overlap_hours)
KEY = "_checkpoints/snowflake/orders/watermark.json"


def daily(day: int, **options: object) -> Run:
    """The scheduled run of one day of October."""
    begin = datetime.fromisoformat(f"2026-10-{day:02d}T00:00:00+00:00")
    run = Run(run_id=f"run-{day}", step=ORDERS, window_start=begin, window_end=begin + timedelta(days=1))
    return replace(run, **options)


def read(run: Run) -> Window:
    """The window of a run that then commits."""
    window = watermark.window(run, TABLE)
    commit_window(run, window)
    watermark.save(run, TABLE, window)
    return window


def test_first_run_reads_from_the_beginning(lake: str) -> None:
    assert watermark.window(daily(1), TABLE) == Window(None, at("2026-10-02"))


def test_next_run_reads_from_the_watermark_less_the_overlap(lake: str) -> None:
    read(daily(1))

    assert TABLE.overlap_hours > 0
    assert watermark.window(daily(2), TABLE) == Window(at("2026-10-02") - OVERLAP, at("2026-10-03"))


def test_run_after_a_gap_reads_the_gap_as_well(lake: str) -> None:
    read(daily(1))

    assert watermark.window(daily(5), TABLE) == Window(at("2026-10-02") - OVERLAP, at("2026-10-06"))


@pytest.mark.parametrize("days", [(1,), (1, 2)])
def test_retry_of_a_run_gets_the_window_that_it_had(lake: str, days: tuple[int, ...]) -> None:
    windows = [read(daily(day)) for day in days]

    assert watermark.window(daily(days[-1]), TABLE) == windows[-1]


def test_exact_run_reads_its_interval_and_moves_nothing(lake: str) -> None:
    read(daily(1))
    saved = objects.read_json(KEY)

    assert read(daily(9, exact=True)) == Window(at("2026-10-09"), at("2026-10-10"))
    assert objects.read_json(KEY) == saved


def test_exact_run_on_an_unread_source_leaves_it_unread(lake: str) -> None:
    read(daily(9, exact=True))

    assert watermark.window(daily(1), TABLE).start is None


def test_older_run_reads_its_own_interval_and_does_not_move_the_watermark_back(lake: str) -> None:
    read(daily(1))
    read(daily(5))
    saved = objects.read_json(KEY)

    assert read(daily(3)) == Window(at("2026-10-03") - OVERLAP, at("2026-10-04"))
    assert objects.read_json(KEY) == saved


def test_full_refresh_reads_everything_up_to_its_end(lake: str) -> None:
    read(daily(1))

    assert read(daily(2, full_refresh=True)) == Window(None, at("2026-10-03"))
    assert watermark.window(daily(3), TABLE).start == at("2026-10-03") - OVERLAP


def test_deleting_the_watermark_reads_everything_again(lake: str) -> None:
    read(daily(1))
    objects.delete_prefix("_checkpoints/snowflake/orders/")

    assert watermark.window(daily(2), TABLE).start is None


def test_kill_between_commit_and_object_loses_nothing(lake: str) -> None:
    read(daily(1))
    window = watermark.window(daily(2), TABLE)
    commit_window(daily(2), window)

    assert watermark.window(daily(2), TABLE) == window
    assert watermark.window(daily(3), TABLE).start == at("2026-10-03") - OVERLAP


def test_backfill_that_committed_in_between_does_not_hide_the_watermark_or_a_runs_own_window(lake: str) -> None:
    read(daily(1))
    mine = read(daily(2))
    read(replace(daily(1, exact=True), run_id="backfill"))

    assert watermark.window(daily(2), TABLE) == mine
    assert watermark.window(daily(3), TABLE).start == at("2026-10-03") - OVERLAP


def test_restored_table_is_read_again_from_where_it_ends(lake: str) -> None:
    read(daily(1))
    restored_to = version(ORDERS)
    read(daily(2))
    read(daily(3))
    log.open_table(settings.lake().uri(ORDERS)).restore(restored_to)

    assert watermark.window(daily(4), TABLE) == Window(at("2026-10-02") - OVERLAP, at("2026-10-05"))


def test_dropped_table_is_read_from_the_beginning(lake: str) -> None:
    read(daily(1))
    read(daily(2))
    objects.delete_prefix("bronze/snowflake_orders/")

    assert watermark.window(daily(3), TABLE) == Window(None, at("2026-10-04"))


def test_commits_of_the_release_before_leave_it_to_the_object(lake: str) -> None:
    put(ORDERS, [], run_id="run-1", step=ORDERS, window={"start": None, "end": "2026-10-02T00:00:00+00:00"})
    objects.write_json(KEY, {"start": None, "end": "2026-10-02T00:00:00+00:00", "run_id": "run-1"})

    assert watermark.window(daily(1), TABLE) == Window(None, at("2026-10-02"))
    assert watermark.window(daily(2), TABLE).start == at("2026-10-02") - OVERLAP


NOW = at("2026-10-02 12:00:00")


def test_run_whose_interval_is_not_over_reads_up_to_now_and_keeps_no_later_run_from_reading(
    lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(daily(1))
    monkeypatch.setattr(watermark, "_now", lambda: NOW)

    assert read(daily(20)) == Window(at("2026-10-02") - OVERLAP, NOW)
    assert watermark.window(daily(20), TABLE).end == NOW, "a retry reads the same"
    monkeypatch.setattr(watermark, "_now", lambda: at("2026-10-04"))
    assert watermark.window(daily(2), TABLE) == Window(NOW - OVERLAP, at("2026-10-03"))


def test_equal_run_ids_of_two_dags_are_two_runs(lake: str) -> None:
    read(daily(1))
    read(daily(2))

    assert watermark.window(replace(daily(2), dag_id="other"), TABLE).start == at("2026-10-02") - OVERLAP


def test_every_source_has_a_watermark_of_its_own() -> None:
    sources = [table.source for table in tables.layer("bronze") if not table.continuous]

    assert len(sources) >= 3
    assert len(set(sources)) == len(sources)


def test_run_without_an_interval_is_refused(lake: str) -> None:
    with pytest.raises(ValueError, match="--window-end"):
        watermark.window(Run(run_id="r", step=ORDERS), TABLE)
    with pytest.raises(ValueError, match="--window-start"):
        watermark.window(Run(run_id="r", step=ORDERS, window_end=at("2026-10-01"), exact=True), TABLE)
