"""What Trino answers where DuckDB would answer otherwise: each kind as a table of expressions."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path

import pytest

from tests.infra.local.aws.athena.engine import Athena

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)


@pytest.fixture(scope="module")
def athena(tmp_path_factory: pytest.TempPathFactory) -> Athena:
    return Athena(Path(tmp_path_factory.mktemp("engine")))


ANSWERS = {
    "division": [
        ("0.35 / 10", "0.04"),
        ("-0.35 / 10", "-0.04"),
        ("0.25 / 10", "0.03"),
        ("1 / 3.00", "0.33"),
        ("10 / 4 / 3.0 / 2", "0.4"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("7.25 % 2.5", "2.25"),
        ("7e0 / 2", "3.5"),
        ("1e0 / 0", "Infinity"),
        ("CAST(1 AS decimal(38,20)) / CAST(3 AS decimal(38,20))", "0.33333333333333333333"),
        ("CAST(-2 AS decimal(38,18)) / CAST(3 AS decimal(38,18))", "-0.666666666666666667"),
        ("NULL / 2.0", None),
        ("1.25 * 1.5", "1.875"),
        ("1.50 + 2", "3.50"),
        ("transform(array[1, 2, 7], x -> x / 2)", "[0, 1, 3]"),
        ("transform(array[0.35], x -> x / 10)", "[0.04]"),
        ("(SELECT max(a.x / b.y) FROM (VALUES 3) b(y))", "2"),
        ("(SELECT count(*) FROM (VALUES 6, 5) b(y) WHERE b.y / 2 = a.x / 2)", "1"),
        ("DECIMAL '0.0001' / 1", "0.0001"),
        ("CAST(1.5 AS decimal)", "2"),
        ("try(1 / 0)", None),
        ("try(1.0 / 0)", None),
    ],
    "rounding": [
        ("round(2.567, 1)", "2.600"),
        ("round(2.5)", "3"),
        ("round(-2.5e0)", "-3.0"),
        ("round(15, -1)", "20"),
        ("CAST(2.5e0 AS integer)", "3"),
        ("CAST(-2.5e0 AS bigint)", "-3"),
        ("CAST(2.5 AS integer)", "3"),
    ],
    "whole units": [
        ("date_diff('day', timestamp '2026-01-01 23:00:00', timestamp '2026-01-02 01:00:00')", "0"),
        ("date_diff('hour', timestamp '2026-01-01 00:59:00', timestamp '2026-01-01 01:01:00')", "0"),
        ("date_diff('month', date '2026-01-31', date '2026-02-28')", "1"),
        ("date_diff('year', date '2024-02-29', date '2025-02-28')", "1"),
        ("date_diff('week', date '2026-01-14', date '2026-01-01')", "-1"),
        ("date_diff('day', date '2026-01-01', timestamp '2026-01-02 12:00:00')", "1"),
        ("date_add('month', 1, date '2026-01-31')", "2026-02-28"),
        ("date_add('quarter', 1, date '2026-01-31')", "2026-04-30"),
        ("date '2026-03-31' - interval '1' month", "2026-02-28"),
        ("date '2026-01-03' - date '2026-01-01'", "2 00:00:00.000"),
        ("timestamp '2026-01-01 00:00:00' - timestamp '2026-01-01 01:30:00'", "-0 01:30:00.000"),
    ],
    "times": [
        ("timestamp '2026-01-01 10:00:00.1235'", "2026-01-01 10:00:00.124"),
        ("timestamp '2026-12-31 23:59:59.9999'", "2027-01-01 00:00:00.000"),
        ("CAST(timestamp '2026-01-01 10:00:00.1235 UTC' AS varchar)", "2026-01-01 10:00:00.124 UTC"),
        ("CAST(date '2026-01-01' AS varchar)", "2026-01-01"),
    ],
    "sequences": [
        ("sequence(date '2026-01-01', date '2026-01-03')", "[2026-01-01, 2026-01-02, 2026-01-03]"),
        ("sequence(date '2026-01-31', date '2026-03-01', interval '1' month)", "[2026-01-31, 2026-02-28]"),
        ("sequence(3, 1)", "[3, 2, 1]"),
        ("sequence(1, 9, 4)", "[1, 5, 9]"),
    ],
    "texts": [
        ("CAST(1e0 AS varchar)", "1.0E0"),
        ("CAST(33.33e0 AS varchar)", "3.333E1"),
        ("CAST(0e0 AS varchar)", "0.0E0"),
        ("CAST(-1.2e-4 AS varchar)", "-1.2E-4"),
        ("CAST(1e0 / 0 AS varchar)", "Infinity"),
        ("CAST(CAST(1.1 AS real) AS varchar)", "1.1E0"),
        ("CAST(1.50 AS varchar)", "1.50"),
        ("CAST('abcd' AS varchar(2))", "ab"),
        ("TRY_CAST(1.5e0 AS varchar(2))", None),
        (r"'a_b' LIKE 'a\_b' ESCAPE '\'", "true"),
        (r"'axb' LIKE 'a\_b' ESCAPE '\'", "false"),
        ("'50%' LIKE '50#%' ESCAPE '#'", "true"),
        (r"'a\b'", r"a\b"),
        ("split_part(NULL, ',', 1)", None),
        ("split_part('a,b', ',', 2)", "b"),
        ("split_part('a,b', ',', 3)", None),
        ("substr('abc', 0)", ""),
        ("substr('abc', -5)", ""),
        ("substr('abc', -2)", "bc"),
        ("substr('abc', 2, 1)", "b"),
        ("substr('abc', 2, -1)", ""),
        ("substr(CAST(NULL AS varchar), 1)", None),
        ("regexp_extract('abc', 'x')", None),
        ("regexp_extract('abc', '(b)(c)', 2)", "c"),
        ("regexp_replace('ab', '(a)', '$1$1')", "aab"),
        ("replace('aba', 'a')", "b"),
        ("concat('a', NULL)", None),
        ("'a' || NULL", None),
        ("greatest(1, NULL)", None),
        ("typeof(1.50)", "decimal(3,2)"),
        ("typeof('ab')", "varchar(2)"),
    ],
    "elements": [
        ("array[1, 2][2]", "2"),
        ("array[1, 2][1 + 1]", "2"),
        ("element_at(array[1, 2], 9)", None),
        ("element_at(array[1, 2], -1)", "2"),
        ("map(array['a'], array[1])['a']", "1"),
        ("element_at(map(array['a'], array[1]), 'z')", None),
        ("CAST(NULL AS array(integer))[1]", None),
        ("try(array[1][5])", None),
    ],
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [pytest.param(*row, id=f"{kind}: {row[0]}") for kind, rows in ANSWERS.items() for row in rows],
)
def test_expression_has_trino_s_value(athena: Athena, expression: str, value: str | None) -> None:
    assert athena.rows(f"SELECT {expression} AS x FROM (VALUES 7) a(x)") == [[value]]


def test_average_of_decimals_is_rounded_once_with_every_clause_of_an_aggregate(athena: Athena) -> None:
    values = "(VALUES 0.15, 0.15, 0.20) t(x)"
    assert athena.rows(f"SELECT avg(x), avg(DISTINCT x), avg(x) FILTER (WHERE x > 0.15) FROM {values}") == [
        ["0.17", "0.18", "0.20"]
    ]
    assert athena.rows(f"SELECT DISTINCT avg(x) OVER () FROM {values}") == [["0.17"]]


def test_grouped_expressions_are_the_same_wherever_they_stand(athena: Athena) -> None:
    sql = "SELECT a / 2, count(*) FROM (VALUES 6, 7, 8) t(a) GROUP BY a / 2 HAVING a / 2 > 0 ORDER BY a / 2 DESC"
    assert athena.rows(sql) == [["4", "1"], ["3", "2"]]


def test_quotients_may_stand_in_every_clause_of_a_grouped_query(athena: Athena) -> None:
    quotient, wide = "sum(m) / count(*)", "sum(m) / CAST(1 AS decimal(38,18))"
    sql = f"""
        SELECT n, {quotient} FROM (VALUES (1, 0.35), (1, 0.40), (2, 9.00)) t(n, m)
        GROUP BY n HAVING {quotient} < 1 AND {wide} > 0 AND CAST(sum(m) * 1e0 AS varchar) = '7.5E-1'
        ORDER BY {quotient}, {wide}"""
    assert athena.rows(sql) == [["1", "0.38"]]


def test_names_of_a_with_clause_have_trino_s_types_for_those_after_them(athena: Athena) -> None:
    sql = "WITH a AS (SELECT 7 / 2 AS x), b AS (SELECT x / 2 AS y FROM a) SELECT x / 2, y / 2.0 FROM a, b"
    assert athena.result(sql) == (["integer", "decimal(12,1)"], [["1", "0.5"]])


def test_unnested_dates_are_dates(athena: Athena) -> None:
    sql = "SELECT d FROM unnest(sequence(date '2026-01-01', date '2026-01-02', interval '1' day)) AS t(d)"
    assert athena.result(sql) == (["date"], [["2026-01-01"], ["2026-01-02"]])


@pytest.mark.parametrize(
    "shape", [(4, 2, 10, 0), (10, 0, 4, 3), (18, 2, 18, 12), (38, 6, 38, 6), (38, 18, 38, 18), (7, 7, 38, 0)]
)
def test_quotients_of_any_decimals_are_exact_and_rounded_half_up(
    athena: Athena, shape: tuple[int, int, int, int]
) -> None:
    p1, s1, p2, s2 = shape
    chance = random.Random(14)
    above = [Decimal(chance.randint(-9999, 9999)).scaleb(-s1) for _ in range(40)]
    below = [Decimal(chance.choice([-7, -3, 1, 3, 8, 40, 1000])).scaleb(-s2) for _ in above]
    pairs = ", ".join(
        f"(CAST('{a:f}' AS decimal({p1},{s1})), CAST('{b:f}' AS decimal({p2},{s2})))"
        for a, b in zip(above, below, strict=True)
    )
    unit = Decimal(1).scaleb(-max(s1, s2))
    quotients = [EXACT.add(EXACT.quantize(EXACT.divide(a, b), unit), 0) for a, b in zip(above, below, strict=True)]
    found = athena.rows(f"SELECT a / b FROM (VALUES {pairs}) t(a, b)")
    assert [row[0] for row in found] == [f"{quotient:f}" for quotient in quotients]


def test_differences_count_whole_units_of_every_length(athena: Athena) -> None:
    chance, start = random.Random(9), datetime(2020, 1, 1)
    pairs = [tuple(start + timedelta(minutes=chance.randrange(4_000_000)) for _ in range(2)) for _ in range(60)]
    ends = [datetime.combine(date(2024, month, 1), datetime.min.time()) - timedelta(days=1) for month in range(1, 13)]
    pairs += [(a, b) for a in ends for b in ends[:4]]
    values = ", ".join(f"(timestamp '{a}', timestamp '{b}')" for a, b in pairs)
    units = {"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
    months = {"month": 1, "quarter": 3, "year": 12}
    asked = ", ".join(f"date_diff('{unit}', a, b)" for unit in [*units, *months])
    found = athena.rows(f"SELECT {asked} FROM (VALUES {values}) t(a, b)")
    for (a, b), row in zip(pairs, found, strict=True):
        seconds = (b - a) // timedelta(seconds=1)
        lengths = [int(seconds / length) for length in units.values()]
        whole = months_between(a, b)
        assert list(map(int, map(str, row))) == [*lengths, *(int(whole / length) for length in months.values())], (a, b)


def months_between(a: datetime, b: datetime) -> int:
    """As Joda counts them, on which Trino builds: the last day of a short month completes a month."""
    if b < a:
        return -months_between(b, a)
    is_last = (b + timedelta(days=1)).month != b.month
    day = min(a.day, b.day) if is_last else a.day
    complete = (b.day, b.time()) >= (day, a.time())
    return (b.year - a.year) * 12 + b.month - a.month - (not complete)
