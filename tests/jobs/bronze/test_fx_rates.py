"""ECB's feed, from the test's own web server: a window's quotes, or an error that names the feed."""

from __future__ import annotations

import pytest

from infra.local.sources.ecb.history import bundled
from jobs.bronze import fx_rates
from jobs.lake.errors import DataError, TransientError
from jobs.lake.run import Window
from jobs.lake.schema import arrow
from tests.jobs.bronze.ecb_feed import EVERYTHING, FEED, Serve, zipped
from tests.jobs.lakehouse import RATES, at, request


def read(window: Window = EVERYTHING) -> list[tuple[str, str, str]]:
    return [
        (row["as_of_date"], row["ccy"], row["rate"])
        for batch in fx_rates.extract(request(RATES, window))
        for row in batch.to_pylist()
    ]


def test_each_quote_becomes_a_row_as_published_and_the_euro_is_added(ecb: Serve) -> None:
    ecb(zipped(FEED))

    assert read() == [
        ("2026-10-02", "EUR", "1"),
        ("2026-10-02", "USD", "1.1000"),
        ("2026-10-02", "JPY", "160.50"),
        ("2026-10-01", "EUR", "1"),
        ("2026-10-01", "USD", "1.0900"),
    ]


def test_time_of_publication_is_the_feeds_last_modified(ecb: Serve) -> None:
    ecb(zipped(FEED))

    (batch,) = fx_rates.extract(request(RATES, EVERYTHING))

    assert set(batch["published_at"].to_pylist()) == {at("2026-10-02 14:15:00")}
    assert batch.schema == arrow(fx_rates.SCHEMA)


def test_window_is_half_open(ecb: Serve) -> None:
    ecb(zipped(FEED))

    assert {day for day, _, _ in read(Window(at("2026-10-01"), at("2026-10-02")))} == {"2026-10-01"}
    assert {day for day, _, _ in read(Window(at("2026-10-01 00:00:01"), at("2026-10-03")))} == {"2026-10-02"}


def test_window_without_quotes_gives_no_rows(ecb: Serve) -> None:
    ecb(zipped(FEED))

    assert read(Window(at("2026-10-03"), at("2026-10-05"))) == []


@pytest.mark.parametrize(
    "body",
    [b"<html>maintenance</html>", b"", zipped("x", name="readme.txt"), zipped("x")[:-10]],
    ids=["a page", "nothing", "a zip without CSV", "a broken zip"],
)
def test_answer_that_is_not_a_zip_with_a_csv_is_refused(ecb: Serve, body: bytes) -> None:
    url = ecb(body)

    with pytest.raises(DataError, match="is not a zip with one UTF-8 CSV") as caught:
        read()

    assert url in str(caught.value)


def test_feed_without_last_modified_is_refused(ecb: Serve) -> None:
    ecb(zipped(FEED), stamp=None)

    with pytest.raises(DataError, match="no Last-Modified header"):
        read()


@pytest.mark.parametrize(
    "stamp",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 02 Oct 2037 14:15:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "soon"],
)
def test_last_modified_that_would_win_or_lose_for_ever_is_refused(ecb: Serve, stamp: str) -> None:
    """By it the newest rate wins."""
    url = ecb(zipped(FEED), stamp=stamp)

    with pytest.raises(DataError, match="the header Last-Modified") as caught:
        read()

    assert f"ECB feed {url}" in str(caught.value)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_error_of_the_server_is_transient_and_names_the_feed(ecb: Serve, status: int) -> None:
    url = ecb(b"", status=status)

    with pytest.raises(TransientError, match=f"{status}") as caught:
        read()

    assert f"ECB feed {url} can't be reached" in str(caught.value)


def test_unreachable_feed_is_transient_and_names_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FX_RATES_URL", "http://127.0.0.1:9/feed.zip")  # the discard port: nobody listens

    with pytest.raises(TransientError, match=r"ECB feed http://127\.0\.0\.1:9/feed\.zip can't be reached"):
        read()


def test_weekends_and_holidays_have_no_rows_and_no_rate_is_invented(ecb: Serve) -> None:
    """ECB's own history: Friday before Easter and Easter Monday of 2024 were no days of publication."""
    ecb(zipped(bundled()))

    found = read(Window(at("2024-03-27"), at("2024-04-04")))

    assert sorted({day for day, _, _ in found}) == ["2024-03-27", "2024-03-28", "2024-04-02", "2024-04-03"]
    assert read(Window(at("2024-03-29"), at("2024-04-02"))) == []


def test_currency_that_ends_has_no_rows_from_that_day_on_and_keeps_its_older_ones(ecb: Serve) -> None:
    """ECB's own history: the rouble was last quoted on 1 March 2022."""
    ecb(zipped(bundled()))

    found = read(Window(at("2022-02-28"), at("2022-03-04")))

    assert sorted(day for day, ccy, _ in found if ccy == "RUB") == ["2022-02-28", "2022-03-01"]
    assert sorted(day for day, ccy, _ in found if ccy == "USD") == [
        "2022-02-28", "2022-03-01", "2022-03-02", "2022-03-03",
    ]  # fmt: skip
