"""Functions of Trino that DuckDB has not, or knows by another name: their answers, as a table of expressions."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.aws.athena.errors import QueryError
from tests.infra.local.aws.athena.engine import Athena


@pytest.fixture(scope="module")
def athena(tmp_path_factory: pytest.TempPathFactory) -> Athena:
    return Athena(Path(tmp_path_factory.mktemp("engine")))


ANSWERS = {
    "in other words": [
        ("any_match(array[1, NULL], y -> y > 1)", None),
        ("any_match(array[2, NULL], y -> y > 1)", "true"),
        ("any_match(CAST(array[] AS array(integer)), y -> y > 1)", "false"),
        ("any_match(array[3], y -> y / 2 = 1)", "true"),
        ("all_match(array[2, NULL], y -> y > 1)", None),
        ("all_match(array[1, NULL], y -> y > 1)", "false"),
        ("all_match(array[2, 3], y -> y > 1)", "true"),
        ("none_match(array[2, NULL], y -> y > 5)", None),
        ("none_match(array[2], y -> y > 5)", "true"),
        ("slice(array[1, 2, 3], 2, 2)", "[2, 3]"),
        ("slice(array[1, 2, 3], -2, 2)", "[2, 3]"),
        ("slice(array[1, 2, 3], -5, 2)", "[]"),
        ("slice(array[1, 2, 3], 1, 0)", "[]"),
        ("slice(array[1, 2, 3], 2, 9)", "[2, 3]"),
        ("array_union(array[3, 1, 3], array[2, 1])", "[3, 1, 2]"),
        ("reduce(array[1, 2], 0, (s, y) -> s + y, s -> s)", "3"),
        ("reduce(array[1, 2], 0, (s, y) -> s + y, s -> s * 10)", "30"),
        ("format('%s of %d is %.2f %%', 'a', 2, 1.234e0)", "a of 2 is 1.23 %"),
        ("format('%s and %s', date '2026-01-01', true)", "2026-01-01 and true"),
        ("hour(at_timezone(timestamp '2026-01-01 00:00:00 UTC', 'Europe/Berlin'))", "1"),
        ("ROW(1, 'a')", "{field0=1, field1=a}"),
        ("CAST(ROW(1, 'a') AS ROW(n integer, s varchar)).n", "1"),
        ("(SELECT map_agg(k, v)['b'] FROM (VALUES ('a', 1), ('b', 2), (NULL, 3)) t(k, v))", "2"),
        ("(SELECT map_agg(k, v) FROM (VALUES ('a', 1)) t(k, v) WHERE k = 'z')", None),
        ("(SELECT array_agg(n) FROM UNNEST(array[1, 2, 3], array['a', 'b']) t(n, s) WHERE s IS NULL)", "[3]"),
        ("(SELECT sum(n * o) FROM UNNEST(array[1, 2], array['a']) WITH ORDINALITY t(n, s, o))", "5"),
        ("(SELECT max(t.s) FROM (VALUES (array[1], array['a'])) q(n, s) CROSS JOIN UNNEST(q.n, q.s) t(n, s))", "a"),
    ],
    "without a counterpart": [
        ("to_iso8601(timestamp '2026-01-02 03:04:05.678')", "2026-01-02T03:04:05.678"),
        ("to_iso8601(timestamp '2026-01-02 03:04:05.678 UTC')", "2026-01-02T03:04:05.678Z"),
        ("to_iso8601(date '2026-01-02')", "2026-01-02"),
        (
            "format_datetime(timestamp '2026-01-02 03:04:05.678', 'yyyy-MM-dd''T''HH:mm:ss.SSS')",
            "2026-01-02T03:04:05.678",
        ),
        (
            "format_datetime(timestamp '2026-01-02 15:04:05', 'EEE d MMMM yy, h:mm a 100%')",
            "Fri 2 January 26, 3:04 PM 100%",
        ),
        ("parse_datetime('2026-01-02 03:04', 'yyyy-MM-dd HH:mm')", "2026-01-02 03:04:00.000 UTC"),
        ("parse_datetime('2026-01-02 03:04 +0200', 'yyyy-MM-dd HH:mm Z')", "2026-01-02 01:04:00.000 UTC"),
        ("timestamp '2026-01-02 03:04:05 UTC' AT TIME ZONE 'UTC'", "2026-01-02 03:04:05.000 UTC"),
        ("truncate(12.345, 1)", "12.300"),
        ("truncate(-12.345)", "-12"),
        ("(SELECT entropy(n) FROM (VALUES 1, 1, 0) t(n))", "1.0"),
        ("(SELECT round(skewness(n), 4) FROM (VALUES 1, 2, 9) t(n))", "0.6655"),
        ("(SELECT skewness(n) FROM (VALUES 1, 2) t(n))", None),
        ("millisecond(timestamp '2026-01-02 03:04:05.678')", "678"),
        ("zip(array[1, 2], array['a'])", "[{field0=1, field1=a}, {field0=2, field1=null}]"),
        ("zip_with(array[1, 2], array[3, 4], (y, z) -> y * 10 + z)", "[13, 24]"),
        ("zip_with(array[7], array[2], (y, z) -> y / z)", "[3]"),
        (
            "transform_values(map(array['a'], array[5]), (k, v) -> zip_with(array[1], array[2], (y, z) -> y + z * v))",
            "{a=[11]}",
        ),
        ("map_filter(map(array['a', 'b'], array[1, 2]), (k, v) -> k = 'a' OR v > 5)", "{a=1}"),
        ("transform_values(map(array['a'], array[1]), (k, v) -> k || CAST(v AS varchar))", "{a=a1}"),
        ("transform_keys(map(array['a'], array[1]), (k, v) -> upper(k))", "{A=1}"),
        ("map_entries(map(array['a'], array[1]))", "[{field0=a, field1=1}]"),
        ("cardinality(map(array['a'], array[1]))", "1"),
        ("cardinality(array[1, 2])", "2"),
        ("reverse(array[1, 2])", "[2, 1]"),
        ("reverse('ab')", "ba"),
        ("repeat('a', 2)", "[a, a]"),
        ("transform(array[7, 8], i -> repeat(i, 2))", "[[7, 7], [8, 8]]"),
        ("transform(array[7], i -> array_union(array[i], array[9]))", "[[7, 9]]"),
        ("transform(array['a=1'], p -> split_to_map(p, ',', '='))", "[{a=1}]"),
        ("array_distinct(array[2, 1, 2])", "[2, 1]"),
        ("array_join(array_distinct(array[2, NULL, 2]), ',', 'x')", "2,x"),
        ("array_join(array[1, NULL, 2], ',')", "1,2"),
        ("arrays_overlap(array[1], array[2])", "false"),
        ("trim_array(array[1, 2, 3], 1)", "[1, 2]"),
        ("split('a,b,c', ',', 2)", "[a, b,c]"),
        ("split('a,b', ',', 5)", "[a, b]"),
        ("split_to_map('a=1,b=2=3', ',', '=')", "{a=1, b=2=3}"),
        ("json_size('{\"a\": [1, 2], \"b\": 3}', '$')", "2"),
        ("json_size('{\"a\": [1, 2, 3]}', '$.a')", "3"),
        ("json_size('{\"a\": 1}', '$.a')", "0"),
        ("json_size('{\"a\": 1}', '$.z')", None),
        ("json_value('{\"a\": 1}', 'lax $.a')", "1"),
        ("json_exists('{\"a\": 1}', 'strict $.a')", "true"),
        ("json_exists('{\"a\": 1}', 'lax $.b')", "false"),
        ("width_bucket(5, 0, 10, 4)", "3"),
        ("width_bucket(-1e0, 0, 10, 4)", "0"),
        ("width_bucket(10, 0, 10, 4)", "5"),
        ("is_nan(nan())", "true"),
        ("is_finite(infinity())", "false"),
        ("to_base(255, 16)", "ff"),
        ("url_encode('a b/c')", "a+b%2Fc"),
        ("url_extract_host('https://x.y:80/z?q=1#f')", "x.y"),
        ("url_extract_path('https://x.y:80/z?q=1#f')", "/z"),
        ("url_extract_query('https://x.y:80/z?q=1#f')", "q=1"),
        ("(SELECT every(v > 0) FROM (VALUES 1, 2) t(v))", "true"),
        ("(SELECT multimap_agg(k, v)['a'] FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) t(k, v))", "[1, 3]"),
        ("(SELECT max(k || CAST(v AS varchar)) FROM UNNEST(map(array['a', 'b'], array[1, 2])) t(k, v))", "b2"),
        ("(SELECT sum(v * n) FROM UNNEST(map(array['a', 'b'], array[1, 2])) WITH ORDINALITY t(k, v, n))", "5"),
        ("(SELECT max(s) FROM UNNEST(array[ROW(1, 'x'), ROW(2, 'y')]) t(n, s) WHERE n = 1)", "x"),
        ("(SELECT max(s) FROM UNNEST(array[CAST(ROW(1, 'x') AS ROW(\"a b\" integer, c varchar))]) t(n, s))", "x"),
        ("(SELECT max(k) FROM (SELECT map(array['a'], array[x]) AS m) q CROSS JOIN UNNEST(q.m) AS t(k, v))", "a"),
    ],
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [pytest.param(*row, id=f"{kind}: {row[0]}") for kind, rows in ANSWERS.items() for row in rows],
)
def test_function_has_trino_s_value(athena: Athena, expression: str, value: str | None) -> None:
    assert athena.rows(f"SELECT {expression} AS x FROM (VALUES 7) a(x)") == [[value]]


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("SELECT array_sort(array[3, 1], (x, y) -> IF(x < y, 1, -1))", "comparator"),
        ("SELECT soundex('Miller')", "SOUNDEX"),
        ("SELECT v FROM (VALUES 1, 1) t(v) ORDER BY v FETCH FIRST 1 ROW WITH TIES", "WITH TIES"),
    ],
)
def test_what_can_not_be_said_is_refused_and_not_left_out(athena: Athena, sql: str, part: str) -> None:
    with pytest.raises(QueryError, match=f"^NOT_SUPPORTED: .*{part}"):
        athena.rows(sql)
