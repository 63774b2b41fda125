"""Which window a run reads, and when the watermark moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs.lake import tables
from jobs.lake.run import Run, Window
from jobs.lake.state import objects, watermark
from tests.jobs.lakehouse import ORDERS, at

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


def test_every_source_has_a_watermark_of_its_own() -> None:
    sources = [table.source for table in tables.layer("bronze") if not table.continuous]

    assert len(sources) >= 3
    assert len(set(sources)) == len(sources)


def test_run_without_an_interval_is_refused(lake: str) -> None:
    with pytest.raises(ValueError, match="--window-end"):
        watermark.window(Run(run_id="r", step=ORDERS), TABLE)
    with pytest.raises(ValueError, match="--window-start"):
        watermark.window(Run(run_id="r", step=ORDERS, window_end=at("2026-10-01"), exact=True), TABLE)
