"""ECB's feed, from a web server of the test's own."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infra.local.sources.ecb.history import bundled
from jobs.bronze import fx_rates
from jobs.lake.errors import DataError, TransientError
from jobs.lake.run import Run, Window
from tests.jobs.lakehouse import RATES, at, put

HEADER = "Date,USD,JPY,CYP,\n"
FEED = HEADER + "2026-10-02,1.1000,160.50,N/A,\n2026-10-01,1.0900,,N/A,\n"
STAMP = "Fri, 02 Oct 2026 14:15:00 GMT"
EVERYTHING = Window(None, at("2027-01-01"))
Serve = Callable[..., str]


@pytest.fixture
def ecb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves a body under FX_RATES_URL; gives the address."""
    servers: list[ThreadingHTTPServer] = []

    def serve(body: bytes, status: int = 200, stamp: str | None = STAMP) -> str:
        class Feed(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                if stamp:
                    self.send_header("Last-Modified", stamp)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/eurofxref-hist.zip"
        monkeypatch.setenv("FX_RATES_URL", url)
        return url

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def zipped(text: str, name: str = "eurofxref-hist.csv") -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(name, text)
    return body.getvalue()


def read(window: Window = EVERYTHING) -> list[tuple[str, str, str]]:
    return [
        (row["as_of_date"], row["ccy"], row["rate"]) for batch in fx_rates.extract(window) for row in batch.to_pylist()
    ]


def parsed(text: str) -> list[tuple[date, str, str]]:
    return list(fx_rates.parse(text, "feed"))


def test_each_quote_becomes_a_row_as_published_with_the_euro_beside(ecb: Serve) -> None:
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

    (batch,) = fx_rates.extract(EVERYTHING)

    assert set(batch["published_at"].to_pylist()) == {at("2026-10-02 14:15:00")}
    assert batch.schema == fx_rates.ARROW


def test_window_is_half_open(ecb: Serve) -> None:
    ecb(zipped(FEED))

    assert {day for day, _, _ in read(Window(at("2026-10-01"), at("2026-10-02")))} == {"2026-10-01"}
    assert {day for day, _, _ in read(Window(at("2026-10-01 00:00:01"), at("2026-10-03")))} == {"2026-10-02"}


def test_window_without_quotes_gives_no_rows(ecb: Serve) -> None:
    ecb(zipped(FEED))

    assert read(Window(at("2026-10-03"), at("2026-10-05"))) == []


def test_missing_quotes_give_no_row() -> None:
    assert [ccy for _, ccy, _ in parsed(HEADER + "2026-10-02,1.1,N/A,,\n")] == ["EUR", "USD"]


def test_rate_that_is_no_number_is_kept_for_the_rules_to_judge() -> None:
    assert (date(2026, 10, 2), "JPY", "abc") in parsed(HEADER + "2026-10-02,1.1,abc,,\n")


@pytest.mark.parametrize("ending", [",", ""], ids=["as ECB writes it", "without a trailing comma"])
def test_trailing_comma_is_no_column(ending: str) -> None:
    text = f"Date,USD,JPY{ending}\n2026-10-02,1.1,160.5{ending}\n"

    assert [ccy for _, ccy, _ in parsed(text)] == ["EUR", "USD", "JPY"]


@pytest.mark.parametrize(
    "line",
    [
        "2026-10-01,1.09,",
        "2026-10-01,1.09,160,N/A,7,",
        "2026-10-01,1.09,160,N/A,7",
        "2026-13-01,1.09,160,N/A,",
        "01/10/2026,1.09,160,N/A,",
        "\x00\x01garbage",
        "",
    ],
    ids=["too short", "too long", "a field more", "no such month", "another date", "garbage", "blank"],
)
def test_corrupt_line_is_named_by_its_number(line: str) -> None:
    with pytest.raises(DataError, match="ECB feed feed: line 3 is broken") as caught:
        parsed(HEADER + "2026-10-02,1.1,160,N/A,\n" + line + "\n2026-09-30,1.1,160,N/A,\n")

    assert "Nothing was written" in str(caught.value)


@pytest.mark.parametrize(
    "header", ["Datum,USD,JPY,", "Date,EUR,JPY,", "Date,USD,yen,", "Date;USD;JPY", "<html>", "Date,USD,US Dollar,"]
)
def test_changed_header_is_refused(header: str) -> None:
    with pytest.raises(DataError, match="the header is"):
        parsed(header + "\n2026-10-02,1.1,160,\n")


@pytest.mark.parametrize(("text", "message"), [("", "the header is"), (HEADER, "has no rates at all")])
def test_empty_feed_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parsed(text)


@pytest.mark.parametrize(
    "body",
    [b"<html>maintenance</html>", b"", zipped("x", name="readme.txt"), zipped("x")[:-10]],
    ids=["a page", "nothing", "a zip without CSV", "a broken zip"],
)
def test_answer_that_is_no_zip_with_a_csv_is_refused(ecb: Serve, body: bytes) -> None:
    url = ecb(body)

    with pytest.raises(DataError, match="is not a zip with one UTF-8 CSV") as caught:
        read()

    assert url in str(caught.value)


def test_feed_without_last_modified_is_refused(ecb: Serve) -> None:
    ecb(zipped(FEED), stamp=None)

    with pytest.raises(DataError, match="no Last-Modified header"):
        read()


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


def facts(**options: Any) -> dict[str, Any]:
    """What the read of everything says about the feed."""
    reading = fx_rates.extract(EVERYTHING, **options)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return dict(end.value)


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


def test_read_tells_how_far_the_feed_goes(ecb: Serve) -> None:
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


def test_step_compares_the_feed_with_the_newest_commit_and_takes_what_its_run_accepts(
    ecb: Serve, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_read(*arguments: Any) -> None:
        list(arguments[-1](EVERYTHING))

    monkeypatch.setattr(fx_rates.session, "spark", lambda _: None)
    monkeypatch.setattr(fx_rates.ingest, "ingest", only_read)
    put(RATES, [], facts={"source_rows": 9, "source_days": 3, "source_last_day": "2026-10-02"})
    ecb(zipped(FEED))

    with pytest.raises(DataError, match="has 2 days up to 2026-10-02 and had 3"):
        fx_rates.build(Run("run", RATES))
    fx_rates.build(Run("run", RATES, accept=("fewer_rows",)))
