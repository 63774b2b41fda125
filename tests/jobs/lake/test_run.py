"""Windows and runs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs.lake.run import Run, Window, utc
from tests.jobs.lakehouse import at


def test_same_window_names_the_same_batch_and_another_window_another_batch() -> None:
    window = Window(at("2026-10-01"), at("2026-10-02"))

    assert window.batch_id == "20261001T000000Z-20261002T000000Z"
    assert Window(None, window.end).batch_id == "beginning-20261002T000000Z"
    assert Window(window.start, window.end + timedelta(seconds=1)).batch_id != window.batch_id
    soon = Window(window.start, window.end + timedelta(microseconds=1))
    assert soon.batch_id == "20261001T000000Z-20261002T000000.000001Z"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (at("2026-10-01"), at("2026-10-01")),
        (at("2026-10-02"), at("2026-10-01")),
        (datetime(2026, 10, 1), at("2026-10-02")),
        (None, datetime(2026, 10, 1)),
    ],
)
def test_empty_window_and_time_without_zone_are_refused(start: datetime | None, end: datetime) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(start, end)


@pytest.mark.parametrize(
    "text", ["2026-10-01T00:00:00+00:00", "2026-10-01T02:00:00+02:00", "2026-10-01", "2026-10-01T00:00:00Z"]
)
def test_times_are_read_as_utc(text: str) -> None:
    assert utc(text) == at("2026-10-01")
    assert utc(text).utcoffset() == timedelta(0)


def test_limited_run_builds_only_its_tables() -> None:
    assert Run("r", "gate").builds("silver.orders")
    assert Run("r", "gate", tables=("silver.orders",)).builds("silver.orders")
    assert not Run("r", "gate", tables=("silver.orders",)).builds("silver.fx_rates")
