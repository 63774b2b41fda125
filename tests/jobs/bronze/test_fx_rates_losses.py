"""A feed that lost days since it was last read is refused until that is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.bronze import fx_rates
from jobs.lake.errors import DataError
from tests.jobs.bronze.ecb_feed import EVERYTHING, FEED, HEADER, Serve, zipped
from tests.jobs.lakehouse import RATES, build, put, request


def facts(**options: Any) -> dict[str, Any]:
    """What the read of everything says about the feed."""
    reading = fx_rates.extract(request(RATES, EVERYTHING, **options))
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return dict(end.value)


def test_read_reports_how_far_the_feed_goes(ecb: Serve) -> None:
    ecb(zipped(FEED))

    assert facts() == {"source_rows": 5, "source_days": 2, "source_last_day": "2026-10-02"}


@pytest.mark.parametrize(
    "lost",
    [HEADER + "2026-10-02,1.1000,160.50,N/A,\n", HEADER + "2026-10-05,1.12,161,,\n2026-10-02,1.1000,160.50,N/A,\n"],
    ids=["a day is gone", "a new day does not make up for it"],
)
def test_feed_that_lost_days_is_refused_until_that_is_accepted(ecb: Serve, lost: str) -> None:
    ecb(zipped(FEED))
    known = facts()
    ecb(zipped(lost))

    with pytest.raises(DataError, match="has 1 days up to 2026-10-02 and had 2 when it was last read") as caught:
        facts(known=known)

    assert "--accept fewer_rows" in str(caught.value)
    assert "Nothing was written" in str(caught.value)
    with pytest.raises(DataError):
        facts(known=known, accept=("null_column",))
    assert facts(known=known, accept=("fewer_rows",))["source_rows"] >= 3


def test_feed_that_grew_is_read(ecb: Serve) -> None:
    ecb(zipped(FEED))
    known = facts()
    ecb(zipped(FEED.replace(HEADER, HEADER + "2026-10-05,1.12,161,,\n")))

    assert facts(known=known) == {"source_rows": 8, "source_days": 3, "source_last_day": "2026-10-05"}


def test_step_compares_the_feed_with_the_newest_commit_and_allows_what_its_run_accepts(
    ecb: Serve, lake: str, spark: SparkSession
) -> None:
    put(RATES, [], facts={"source_rows": 9, "source_days": 3, "source_last_day": "2026-10-02"})
    ecb(zipped(FEED))

    with pytest.raises(DataError, match="has 2 days up to 2026-10-02 and had 3"):
        build(RATES, window_end=EVERYTHING.end)
    assert build(RATES, window_end=EVERYTHING.end, accept=("fewer_rows",))["read"] == 5
