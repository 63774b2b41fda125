"""Times at a named zone in the local Athena: shown with their zone, compared as moments."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.aws.athena.errors import QueryError
from tests.infra.local.aws.athena.engine import Athena

NIGHT = "timestamp '2026-07-01 23:00:00 UTC'"
BERLIN = f"{NIGHT} AT TIME ZONE 'Europe/Berlin'"
ROWS = f"(VALUES {NIGHT}, timestamp '2026-07-02 01:00:00 UTC') v(t)"


@pytest.fixture(scope="module")
def athena(tmp_path_factory: pytest.TempPathFactory) -> Athena:
    return Athena(Path(tmp_path_factory.mktemp("engine")))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (BERLIN, "2026-07-02 01:00:00.000 Europe/Berlin"),
        ("timestamp '2026-07-01 00:00:00' AT TIME ZONE 'Europe/Berlin'", "2026-07-01 02:00:00.000 Europe/Berlin"),
        ("timestamp '2026-07-01 00:00:00' AT TIME ZONE 'UTC'", "2026-07-01 00:00:00.000 UTC"),
        ("timestamp '2026-07-01 00:00:00 Europe/Berlin'", "2026-07-01 00:00:00.000 Europe/Berlin"),
        ("timestamp '2026-07-01 00:00:00 +02:00'", "2026-07-01 00:00:00.000 +02:00"),
        ("timestamp '2026-07-01 00:00:00-03:00' AT TIME ZONE 'UTC'", "2026-07-01 03:00:00.000 UTC"),
        ("with_timezone(timestamp '2026-07-01 00:00:00', 'Asia/Tokyo')", "2026-07-01 00:00:00.000 Asia/Tokyo"),
        (f"at_timezone({BERLIN}, 'America/New_York')", "2026-07-01 19:00:00.000 America/New_York"),
        (f"CAST({BERLIN} AS varchar)", "2026-07-02 01:00:00.000 Europe/Berlin"),
        (f"typeof({BERLIN})", "timestamp(3) with time zone"),
    ],
)
def test_zone_is_shown_with_the_time_on_its_clocks(athena: Athena, expression: str, value: str) -> None:
    assert athena.rows(f"SELECT {expression}") == [[value]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (f"hour({BERLIN})", "1"),
        (f"extract(DAY FROM {BERLIN})", "2"),
        (f"date({BERLIN})", "2026-07-02"),
        (f"CAST({BERLIN} AS date)", "2026-07-02"),
        (f"CAST({BERLIN} AS timestamp)", "2026-07-02 01:00:00.000"),
        (f"date_format({BERLIN}, '%Y-%m-%d %H')", "2026-07-02 01"),
        (f"format_datetime({BERLIN}, 'yyyy-MM-dd HH')", "2026-07-02 01"),
        ("hour(timestamp '2026-07-01 07:00:00 Asia/Tokyo')", "7"),
        (f"timezone_hour({BERLIN})", "2"),
        (f"timezone_hour({NIGHT} AT TIME ZONE 'America/St_Johns')", "-2"),
        (f"timezone_minute({NIGHT} AT TIME ZONE 'America/St_Johns')", "-30"),
        (f"extract(timezone_hour FROM {BERLIN})", "2"),
    ],
)
def test_fields_are_those_of_the_clocks(athena: Athena, expression: str, value: str) -> None:
    assert athena.rows(f"SELECT {expression}") == [[value]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (f"{BERLIN} = {NIGHT}", "true"),
        (f"{BERLIN} > timestamp '2026-07-01 23:30:00 UTC'", "false"),
        (f"{BERLIN} BETWEEN {NIGHT} AND {NIGHT}", "true"),
        (f"{BERLIN} IN ({NIGHT})", "true"),
        (f"{BERLIN} = {NIGHT} AT TIME ZONE 'Asia/Tokyo'", "true"),
        (f"coalesce({BERLIN}, current_timestamp) = {NIGHT}", "true"),
        ("to_unixtime(timestamp '1970-01-01 00:00:05 UTC' AT TIME ZONE 'Europe/Berlin')", "5.0"),
        (f"date_diff('hour', {NIGHT}, {BERLIN})", "0"),
        (f"{BERLIN} - timestamp '2026-07-01 22:00:00 UTC'", "0 01:00:00.000"),
        (f"date_trunc('day', {BERLIN}) = timestamp '2026-07-01 22:00:00 UTC'", "true"),
    ],
)
def test_moments_are_compared_whatever_the_zone(athena: Athena, expression: str, value: str) -> None:
    assert athena.rows(f"SELECT {expression}") == [[value]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (f"date_trunc('day', {BERLIN})", "2026-07-02 00:00:00.000 Europe/Berlin"),
        (f"{BERLIN} + interval '1' day", "2026-07-03 01:00:00.000 Europe/Berlin"),
        (f"interval '1' day + ({BERLIN})", "2026-07-03 01:00:00.000 Europe/Berlin"),
        # The clocks go forward: an hour later is two hours on, a day later the same hour.
        (
            "timestamp '2026-03-29 00:30:00 UTC' AT TIME ZONE 'Europe/Berlin' + interval '1' hour",
            "2026-03-29 03:30:00.000 Europe/Berlin",
        ),
        (
            "date_add('day', 1, timestamp '2026-03-28 12:00:00 UTC' AT TIME ZONE 'Europe/Berlin')",
            "2026-03-29 13:00:00.000 Europe/Berlin",
        ),
        # Midnight is passed on these clocks, and whole days are counted on them.
        (
            "date_diff('day', timestamp '2026-03-28 23:00:00 UTC' AT TIME ZONE 'Europe/Berlin', "
            "timestamp '2026-03-29 22:00:00 UTC')",
            "1",
        ),
        (f"max({BERLIN})", "2026-07-02 01:00:00.000 Europe/Berlin"),
        (f"max({BERLIN}) FILTER (WHERE true)", "2026-07-01 23:00:00.000 UTC"),
    ],
)
def test_moved_time_keeps_its_zone(athena: Athena, expression: str, value: str) -> None:
    assert athena.rows(f"SELECT {expression}") == [[value]]


@pytest.mark.parametrize("group", ["1", "date_trunc('day', t AT TIME ZONE 'Europe/Berlin')"])
def test_rows_are_grouped_by_days_of_a_zone(athena: Athena, group: str) -> None:
    sql = f"SELECT date_trunc('day', t AT TIME ZONE 'Europe/Berlin') AS d, count(*) FROM {ROWS} GROUP BY {group}"
    assert athena.rows(f"{sql} ORDER BY d") == [["2026-07-02 00:00:00.000 Europe/Berlin", "2"]]


def test_column_of_a_subquery_is_the_time_on_the_clocks(athena: Athena) -> None:
    sql = (
        f"WITH l AS (SELECT t AT TIME ZONE 'Europe/Berlin' AS t FROM {ROWS}) SELECT hour(t), date(t) FROM l ORDER BY 1"
    )
    assert athena.rows(sql) == [["1", "2026-07-02"], ["3", "2026-07-02"]]


@pytest.mark.parametrize(
    ("zone", "refusal"),
    [
        ("Mars/Here", "INVALID_FUNCTION_ARGUMENT: 'Mars/Here' is not a valid time zone"),
        ("+05:30", "NOT_SUPPORTED: The local Athena knows offsets of whole hours alone, not +05:30"),
    ],
)
def test_unknown_zone_is_refused_wherever_it_stands(athena: Athena, zone: str, refusal: str) -> None:
    for sql in (f"SELECT {NIGHT} AT TIME ZONE '{zone}'", f"SELECT {NIGHT} AT TIME ZONE '{zone}' = {NIGHT}"):
        with pytest.raises(QueryError) as refused:
            athena.rows(sql)
        assert str(refused.value) == refusal
