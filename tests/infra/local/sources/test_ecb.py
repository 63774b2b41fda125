"""The ECB stand-in, called over HTTP."""

from __future__ import annotations

import csv
import io
import signal
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from infra.local.addresses import Addresses
from infra.local.sources.ecb.history import bundled, newest, quoted
from jobs.sources.ecb import target
from tests.infra.local.sources.conftest import Server


class Feed:
    """The download and its control API."""

    def __init__(self, addresses: Addresses) -> None:
        self._base = addresses.ecb
        self.url = addresses.environment()["FX_RATES_URL"]

    def get(self, **headers: str) -> requests.Response:
        return requests.get(self.url, headers=headers, timeout=30)

    def csv(self) -> str:
        """What is served of the real history's days."""
        header, *lines = self.whole().splitlines(keepends=True)
        return "".join([header, *(line for line in lines if line[:10] <= newest().isoformat())])

    def whole(self) -> str:
        with zipfile.ZipFile(io.BytesIO(self.get().content)) as archive:
            assert archive.namelist() == ["eurofxref-hist.csv"]
            return archive.read("eurofxref-hist.csv").decode()

    def rows(self) -> dict[str, dict[str, str]]:
        return {row["Date"]: row for row in csv.DictReader(io.StringIO(self.csv()))}

    def control(self, method: str, path: str, document: object = None, *, expect: int = 200) -> Any:
        answer = requests.request(method, f"{self._base}/_control/{path}", json=document, timeout=30)
        assert answer.status_code == expect, answer.text
        return answer.json()


@pytest.fixture
def feed(addresses: Addresses, servers: dict[str, Server]) -> Iterator[Feed]:
    assert servers["ecb"].process is not None
    opened = Feed(addresses)
    yield opened
    opened.control("DELETE", "overrides")
    opened.control("DELETE", "fail")


def test_everything_that_ecb_published_is_served_unchanged(feed: Feed) -> None:
    assert feed.csv() == bundled()
    plain = requests.get(feed.url.replace(".zip", ".csv"), timeout=30)
    assert plain.text == feed.whole()
    assert plain.text.startswith("Date,USD,JPY,")
    assert feed.rows()[newest().isoformat()]["USD"] != "N/A"
    assert {"USD", "GBP"} <= quoted(newest())
    assert quoted(date(2026, 10, 25)) == frozenset()  # a Sunday


def test_last_rates_go_on_until_now_on_the_days_of_targets_calendar(feed: Feed) -> None:
    real, *more = [line.split(",", 1) for line in reversed(feed.whole().splitlines()[1:]) if line >= str(newest())]

    days = [date.fromisoformat(day) for day, _ in more]
    first, due = newest() + timedelta(days=1), target.newest_due(datetime.now(UTC))
    passed = [first + timedelta(days=number) for number in range((due - newest()).days)]
    assert days == [day for day in passed if target.is_open(day)]
    assert {rates for _, rates in more} <= {real[1]}


def test_an_unchanged_file_is_not_sent_again(feed: Feed) -> None:
    first = feed.get()
    head = requests.head(feed.url, timeout=30)
    assert head.headers["ETag"] == first.headers["ETag"]
    assert int(head.headers["Content-Length"]) == len(first.content)
    for name, value in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        again = feed.get(**{name: first.headers[value]})
        assert (again.status_code, again.content) == (304, b"")

    feed.control("PATCH", "overrides", {"until": "2026-10-28"})
    assert feed.get(**{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_revision_is_seen_as_modified(feed: Feed) -> None:
    first = feed.get()
    feed.control("PATCH", "overrides", {"rates": {"2026-10-30": {"USD": "1.5"}}})
    assert feed.get(**{"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 200
    rows = feed.rows()
    assert rows["2026-10-30"]["USD"] == "1.5"
    assert rows["2026-10-29"] == next(r for r in csv.DictReader(io.StringIO(bundled())) if r["Date"] == "2026-10-29")


def test_days_can_be_held_back(feed: Feed) -> None:
    feed.control("PATCH", "overrides", {"until": "2026-10-28"})
    assert max(feed.rows()) == "2026-10-28"
    feed.control("PATCH", "overrides", {"until": None})
    assert max(feed.rows()) == newest().isoformat()  # of the real days


def test_lines_and_header_can_be_corrupted_and_restored(feed: Feed) -> None:
    feed.control("PATCH", "overrides", {"lines": {"2026-10-29": "2026-10-29,x"}, "header": "Day,USD"})
    lines = feed.csv().splitlines()
    assert lines[0] == "Day,USD"
    assert lines[2] == "2026-10-29,x"
    feed.control("DELETE", "overrides")
    assert feed.csv() == bundled()


@pytest.mark.parametrize(
    "document",
    [
        {"rates": {"2026-10-31": {"USD": "1"}}},  # a Saturday
        {"rates": {"2026-10-30": {"ABC": "1"}}},
        {"until": "yesterday"},
        {"unknown": 1},
    ],
)
def test_a_wrong_override_is_refused_and_changes_nothing(feed: Feed, document: dict[str, object]) -> None:
    assert "error" in feed.control("PATCH", "overrides", document, expect=400)
    assert feed.csv() == bundled()


def test_a_planned_outage_is_answered_and_used_up(feed: Feed) -> None:
    feed.control("POST", "fail", {"kind": "unavailable", "calls": 1})
    assert [feed.get().status_code, feed.get().status_code] == [503, 200]


def test_overrides_survive_a_kill(feed: Feed, servers: dict[str, Server]) -> None:
    feed.control("PATCH", "overrides", {"until": "2026-10-28"})
    tag = feed.get().headers["ETag"]
    servers["ecb"].stop(signal.SIGKILL)
    servers["ecb"].start()
    assert feed.get().headers["ETag"] == tag
