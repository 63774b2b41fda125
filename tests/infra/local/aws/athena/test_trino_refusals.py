"""What Athena refuses, and DuckDB or the parser would take: a statement, and how its reason begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.local.aws.athena.engine import Athena

ROWS = "(VALUES (1, 'x', date '2026-01-01', 1.5)) t(n, s, d, m)"


@pytest.fixture(scope="module")
def athena(tmp_path_factory: pytest.TempPathFactory) -> Athena:
    return Athena(Path(tmp_path_factory.mktemp("engine")))


MISMATCHES = [
    "s = d", "d >= '2026-01-01'", "'2026-01-01' < d", "s <> n", "n = '1'", "m > '1.0'", "s = true",
    "s IS DISTINCT FROM n", "n IN ('1', '2')", "s IN (1, 2)", "d IN ('2026-01-01')", "n IN (SELECT 'a')",
    "d BETWEEN '2026-01-01' AND '2026-02-01'", "n BETWEEN 'a' AND 'b'", "n LIKE '1%'", "s LIKE 1",
    "s + 1 = 2", "'1' * 2 = 2", "d + 1 = d", "d * 2 = d", "n", "(n)", "s", "NOT n", "NOT (n)",
    "true AND n", "s OR false",
    "coalesce(n, s) = s", "nullif(n, 'a') = n", "if(true, n, s) = s", "CASE WHEN true THEN n ELSE 'a' END = 'a'",
    "greatest(n, s) = s", "CASE s WHEN 1 THEN true END", "CASE n WHEN 1 THEN true WHEN 'a' THEN false END",
]  # fmt: skip


@pytest.mark.parametrize("condition", MISMATCHES)
def test_types_that_don_t_go_together_are_a_mismatch(athena: Athena, condition: str) -> None:
    assert athena.failure(f"SELECT count(*) FROM {ROWS} WHERE {condition}").startswith("TYPE_MISMATCH: ")


@pytest.mark.parametrize(
    ("call", "function"),
    [
        ("1 || 'a'", "concat"),
        ("n || s", "concat"),
        ("s || d", "concat"),
        ("concat('a', 1)", "concat"),
        ("concat(s, m)", "concat"),
        ("transform(array['a'], x -> x || 1)", "concat"),
        ("lower(n)", "lower"),
        ("length(n)", "length"),
        ("substr(n, 1)", "substr"),
        ("substr(s, '1')", "substr"),
        ("split_part(n, ',', 1)", "split_part"),
        ("regexp_like(n, 'a')", "regexp_like"),
        ("sum(s)", "sum"),
        ("avg(d)", "avg"),
        ("round('1')", "round"),
        ("year('2026-01-01')", "year"),
        ("date_trunc('day', '2026-01-01')", "date_trunc"),
        ("date_add('day', 1, '2026-01-01')", "date_add"),
        ("date_diff('day', d, '2026-01-01')", "date_diff"),
    ],
)
def test_call_with_another_type_finds_no_function(athena: Athena, call: str, function: str) -> None:
    reason = athena.failure(f"SELECT {call} FROM {ROWS}")
    assert reason.startswith("FUNCTION_NOT_FOUND: ")
    assert f"for function {function}" in reason


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (f"SELECT n FROM {ROWS} LIMIT 1 OFFSET 1", "SYNTAX_ERROR: line 1:79: mismatched input 'OFFSET'"),
        (f"SELECT n FROM {ROWS} LIMIT 1, 1", "SYNTAX_ERROR: "),
        ("SELECT x FROM (SELECT 1 AS x LIMIT 1 OFFSET 1) t", "SYNTAX_ERROR: "),
        ("SELECT 1::varchar", "SYNTAX_ERROR: line 1:9: mismatched input '::'"),
        ("SELECT 'A' ILIKE 'a'", "SYNTAX_ERROR: "),
        ("SELECT 'a' RLIKE 'a'", "SYNTAX_ERROR: "),
        ("SELECT 1 == 1", "SYNTAX_ERROR: "),
        ("SELECT 5 DIV 2", "SYNTAX_ERROR: "),
        ("SELECT 1 & 2", "SYNTAX_ERROR: "),
        ("SELECT [1, 2]", "SYNTAX_ERROR: "),
        ("SELECT {'a': 1}", "SYNTAX_ERROR: "),
        ("SELECT array[1, 2][1:2]", "SYNTAX_ERROR: "),
        ("SELECT true IS true", "SYNTAX_ERROR: "),
        (f"SELECT * EXCLUDE (n) FROM {ROWS}", "SYNTAX_ERROR: "),
        (f"SELECT DISTINCT ON (n) n FROM {ROWS}", "SYNTAX_ERROR: "),
        (f"SELECT n, count(*) FROM {ROWS} GROUP BY ALL", "SYNTAX_ERROR: "),
        (f"SELECT n FROM {ROWS} SEMI JOIN (VALUES 1) u(k) ON n = k", "SYNTAX_ERROR: "),
        (f"SELECT n + 1 AS k FROM {ROWS} WHERE k = 2", "COLUMN_NOT_FOUND: line 1:86: Column 'k'"),
        (f"SELECT n + 1 AS k, count(*) FROM {ROWS} GROUP BY k", "COLUMN_NOT_FOUND: "),
        (f"SELECT n AS k, count(*) FROM {ROWS} GROUP BY n HAVING k = 1", "COLUMN_NOT_FOUND: "),
        (f"SELECT count(*) AS k FROM {ROWS} HAVING k > 0", "COLUMN_NOT_FOUND: "),
        (f"SELECT n AS k, k + 1 FROM {ROWS}", "COLUMN_NOT_FOUND: "),
        ("SELECT nvl(1, 2)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nvl' not registered"),
        ("SELECT strftime(date '2026-01-01', '%Y')", "FUNCTION_NOT_FOUND: "),
        ("SELECT datediff('day', date '2026-01-01', date '2026-01-02')", "FUNCTION_NOT_FOUND: "),
        ("SELECT list_sum(array[1])", "FUNCTION_NOT_FOUND: "),
        ("SELECT 1 UNION ALL SELECT 'a'", "TYPE_MISMATCH: column 1 in UNION query has incompatible types"),
        ("SELECT 1, 'a' EXCEPT SELECT 1, 2", "TYPE_MISMATCH: column 2 in EXCEPT query"),
        (f"SELECT * FROM {ROWS} JOIN (VALUES '1') u(k) ON n = k", "TYPE_MISMATCH: "),
        (f"SELECT count(*) FROM {ROWS} JOIN (VALUES 1) u(k) ON k", "TYPE_MISMATCH: "),
        (f"SELECT count(*) FILTER (WHERE n) FROM {ROWS}", "TYPE_MISMATCH: "),
        ("SELECT date_trunc('hour', date '2026-01-01')", "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field"),
        ("SELECT date_add('hour', 1, date '2026-01-01')", "INVALID_FUNCTION_ARGUMENT: "),
        ("SELECT date_diff('hour', date '2026-01-01', date '2026-01-02')", "INVALID_FUNCTION_ARGUMENT: "),
        ("SELECT date '2026-01-01' + interval '1' hour", "INVALID_FUNCTION_ARGUMENT: "),
        ("SELECT slice(array[1], 0, 1)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("SELECT format('%s')", "INVALID_FUNCTION_ARGUMENT: Format specifier without a value"),
        (
            "SELECT format_datetime(date '2026-01-01', 'ww')",
            "NOT_SUPPORTED: The local Athena does not know 'ww' in a format of times",
        ),
        (
            "SELECT parse_datetime('2026', x) FROM (VALUES 'yyyy') t(x)",
            "NOT_SUPPORTED: The local Athena wants a format that stands in the query",
        ),
        ("SELECT format('%05d', 1)", "NOT_SUPPORTED: The local Athena does not know the format '%05d'"),
        ("SELECT array[1, 2][9]", "INVALID_FUNCTION_ARGUMENT: Array subscript beyond the end: 9"),
        ("SELECT array[1, 2][0]", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("SELECT array[1, 2][-1]", "INVALID_FUNCTION_ARGUMENT: Array subscript is negative: -1"),
        ("SELECT map(array['a'], array[1])['z']", "INVALID_FUNCTION_ARGUMENT: Key not present in map: z"),
        ("SELECT split_part('a,b', ',', 0)", "INVALID_FUNCTION_ARGUMENT: "),
        ("SELECT CAST(1.5e0 AS varchar(2))", "INVALID_CAST_ARGUMENT: "),
        ("SELECT 7 / 0", "DIVISION_BY_ZERO: "),
        ("SELECT 7 % 0", "DIVISION_BY_ZERO: "),
        ("SELECT 7.0 / 0", "DIVISION_BY_ZERO: "),
        ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE: "),
    ],
)
def test_statement_is_refused_in_athena_s_words(athena: Athena, sql: str, reason: str) -> None:
    assert athena.failure(sql).startswith(reason)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT n FROM {ROWS} OFFSET 0 LIMIT 1",
        f"SELECT n AS k FROM {ROWS} ORDER BY k",
        f"SELECT n AS s, s AS n FROM {ROWS} WHERE n = 1 AND s = 'x' GROUP BY n, s",
        f"SELECT n + 1 AS n FROM {ROWS} WHERE n = 1",
        f"SELECT k FROM (SELECT n AS k FROM {ROWS}) u WHERE k = 1",
        f"SELECT d FROM {ROWS} WHERE d < timestamp '2026-01-01 10:00:00' AND d = CAST('2026-01-01' AS date)",
        f"SELECT n FROM {ROWS} WHERE n = 1.0 AND m > 1e0 AND s IN ('x', NULL) AND NULL = s",
        "SELECT 1 UNION ALL SELECT 2.5 UNION ALL SELECT NULL",
        "SELECT date '2026-01-01' UNION SELECT timestamp '2026-01-01 10:00:00'",
        "SELECT array[1] || array[2], array[1] || 2, 'a' || CAST(1 AS varchar)",
        "SELECT \"i\" FROM (VALUES 1) t(\"i\") WHERE (\"i\" = 1 OR \"i\" IS NULL) AND NOT (\"i\" > 1)",
    ],
)  # fmt: skip
def test_statement_that_trino_takes_is_not_refused(athena: Athena, sql: str) -> None:
    assert athena.failure(sql) == ""
