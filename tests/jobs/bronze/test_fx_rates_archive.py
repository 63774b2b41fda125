"""Whatever comes instead of ECB's zip is an error of the data that names the feed, or the text as it was packed."""

from __future__ import annotations

import bz2
import io
import lzma
import random
import struct
import zipfile
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from jobs.lake.errors import DataError
from jobs.sources.ecb import feed
from tests.jobs.bronze.ecb_feed import FEED, zipped

FLIPPED = 1_500
NAME = "eurofxref-hist.csv"
PACKINGS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


def packed(content: bytes = FEED.encode(), how: int = zipfile.ZIP_DEFLATED, names: tuple[str, ...] = (NAME,)) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", how) as archive:
        for name in names:
            archive.writestr(name, content)
    return body.getvalue()


def patched(body: bytes, flags: int | None = None, method: int | None = None, damage: int | None = None) -> bytes:
    """The zip with other flags or another method, as both of its headers say it, or with a damaged byte of content."""
    changed, directory = bytearray(body), body.index(b"PK\x01\x02")
    for place, value in ((6, flags), (directory + 8, flags), (8, method), (directory + 10, method)):
        if value is not None:
            struct.pack_into("<H", changed, place, value)
    if damage is not None:
        changed[30 + len(NAME) + damage] ^= 0xFF
    return bytes(changed)


ODD: dict[str, bytes] = {
    "encrypted": patched(packed(), flags=1),
    "an unknown packing": patched(packed(), method=99),
    "a packing that does not fit": patched(packed(how=zipfile.ZIP_STORED), method=8),
    "stored, told as bzip2": patched(packed(how=zipfile.ZIP_STORED), method=12),
    "stored, told as lzma": patched(packed(how=zipfile.ZIP_STORED), method=14),
    "patched data": patched(packed(), flags=0x20),
    "damaged at its begin": patched(packed(), damage=0),
    "damaged text": patched(packed(how=zipfile.ZIP_STORED), damage=3),
    "damaged bzip2": patched(packed(how=zipfile.ZIP_BZIP2), damage=2),
    "damaged lzma": patched(packed(how=zipfile.ZIP_LZMA), damage=12),
    "broken off": packed()[:-30],
    "two CSVs": packed(names=(NAME, "other.csv")),
    "the same CSV twice": packed(names=(NAME, NAME)),
    "no CSV": packed(names=("eurofxref-hist.txt",)),
    "a folder": packed(b"", names=("eurofxref-hist.csv/",)),
    "gzip": zlib.compress(FEED.encode(), wbits=31),
    "bzip2": bz2.compress(FEED.encode()),
    "xz": lzma.compress(FEED.encode()),
    "the CSV itself": FEED.encode(),
    "UTF-16": packed(FEED.encode("utf-16")),
    "Latin-1": packed(FEED.replace("USD", "€".encode("cp1252").decode("latin-1")).encode("latin-1")),
    "half a character": packed(FEED.encode() + b"\xe2\x82"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("body", ODD.values(), ids=list(ODD))
def test_archive_that_is_not_as_ecb_packs_it_is_an_error_of_the_data(body: bytes) -> None:
    with pytest.raises(DataError, match="ECB feed the-address is not a zip with one UTF-8 CSV") as caught:
        feed.unpack(body, "the-address")

    assert caught.value.kind == "data"
    assert "Nothing was written" in str(caught.value)


@pytest.mark.parametrize("how", PACKINGS.values(), ids=list(PACKINGS))
def test_every_packing_that_can_be_read_gives_the_text(how: int) -> None:
    assert feed.unpack(packed(how=how, names=("readme.txt", NAME)), "feed") == FEED


@pytest.mark.parametrize("how", PACKINGS.values(), ids=list(PACKINGS))
def test_damage_anywhere_is_an_error_of_the_data_or_does_no_harm(how: int) -> None:
    drawing = random.Random(how)
    whole = packed(how=how)
    for _ in range(FLIPPED):
        body = bytearray(whole)
        for _ in range(drawing.randint(1, 3)):
            body[drawing.randrange(len(body))] ^= 1 << drawing.randrange(8)
        with suppress(DataError):
            assert feed.unpack(bytes(body), "feed") == FEED


def test_archive_that_unpacks_to_more_than_it_says_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "LARGEST", 100_000)
    bomb = bytearray(packed(b"0" * 5_000_000))
    asked: list[int] = []
    read = zipfile.ZipExtFile.read

    def watched(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        asked.append(n or -1)
        return read(self, n)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", watched)

    with pytest.raises(DataError, match="more than 100000 bytes"):
        feed.unpack(bytes(bomb), "feed")
    assert asked == [100_001]


def test_endless_answer_is_refused(ecb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LARGEST", 1_000)
    url = ecb(zipped(FEED * 100))

    with pytest.raises(DataError, match="more than 1000 bytes"):
        feed.download(url)


@pytest.mark.parametrize(
    "stamp",
    ["yesterday", "1790950500", "2026-10-02T14:15:00Z", "Fri, 32 Oct 2026 14:15:00 GMT", " , ",
     "Fri, 02 Oct 20226 14:15:00 GMT", "Fri, 02 Oct 2026 25:15:00 GMT", "Fri, 02 Oct 2026 14:15:00 +9999",
     "Fri, 31 Dec 9999 23:59:59 -0100"],
)  # fmt: skip
def test_time_that_http_does_not_write_is_an_error_of_the_data_and_named(stamp: str) -> None:
    with pytest.raises(DataError, match="ECB feed the-address: the header Last-Modified is") as caught:
        feed._changed_at(stamp, "the-address")

    assert repr(stamp) in str(caught.value)


@pytest.mark.parametrize(
    "stamp",
    ["Fri, 02 Oct 2026 14:15:00 GMT", "Friday, 02-Oct-26 14:15:00 GMT", "Fri Oct  2 14:15:00 2026",
     "Fri, 02 Oct 2026 14:15:00 -0000", "Fri, 02 Oct 2026 14:15:00", "Fri, 02 Oct 2026 16:15:00 +0200"],
)  # fmt: skip
def test_each_form_of_http_gives_the_same_time_in_whatever_zone_the_machine_is(
    stamp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")

    assert feed._changed_at(stamp, "feed") == datetime(2026, 10, 2, 14, 15, tzinfo=UTC)
