"""The feed's text becomes quotes as published; a line or header that is not ECB's is refused and named."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.bronze import fx_rates
from jobs.lake.errors import DataError
from tests.jobs.bronze.ecb_feed import HEADER


def parsed(text: str) -> list[tuple[date, str, str]]:
    return list(fx_rates.parse(text, "feed"))


def test_missing_quotes_give_no_row() -> None:
    assert [ccy for _, ccy, _ in parsed(HEADER + "2026-10-02,1.1,N/A,,\n")] == ["EUR", "USD"]


def test_rate_that_is_not_a_number_is_kept_for_the_rules_to_judge() -> None:
    assert (date(2026, 10, 2), "JPY", "abc") in parsed(HEADER + "2026-10-02,1.1,abc,,\n")


@pytest.mark.parametrize("ending", [",", ""], ids=["as ECB writes it", "without a trailing comma"])
def test_trailing_comma_is_not_a_column(ending: str) -> None:
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
        "2026-10-02,1.1,160,N/A,",
        "2026-10-01,1.1\r1.2,160,N/A,",
        '2026-10-01,"1.1"x,160,N/A,',
        "2026-10-01," + "1" * 200_000 + ",160,N/A,",
        "20226-10-01,1.1,160,N/A,",
        "0000-10-01,1.1,160,N/A,",
    ],
    ids=[
        "too short",
        "too long",
        "a field more",
        "no such month",
        "another date",
        "garbage",
        "blank",
        "a day twice",
        "a line end within",
        "a wrong quote",
        "endless",
        "year 20226",
        "year 0",
    ],
)
def test_corrupt_line_is_named_by_its_number(line: str) -> None:
    with pytest.raises(DataError, match="ECB feed feed: line 3 is broken") as caught:
        parsed(HEADER + "2026-10-02,1.1,160,N/A,\n" + line + "\n2026-09-30,1.1,160,N/A,\n")

    assert "Nothing was written" in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        "Date,USD,USD,",
        "Date,USD,EUR,",
        "Date,USD,,JPY",
        "Date,USD,J\rPY,",
        "Datum,USD,JPY,",
        "Date,EUR,JPY,",
        "Date,USD,yen,",
        "Date;USD;JPY",
        "<html>",
        "Date,USD,US Dollar,",
    ],
)
def test_changed_header_is_refused(header: str) -> None:
    with pytest.raises(DataError, match="the header is"):
        parsed(header + "\n2026-10-02,1.1,160,\n")


@pytest.mark.parametrize(("text", "message"), [("", "the header is"), (HEADER, "has no rates at all")])
def test_empty_feed_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parsed(text)
