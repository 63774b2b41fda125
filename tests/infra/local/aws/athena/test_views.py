"""Views over partitions and Delta tables: what of them a query reads, and which views Trino refuses."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws.athena import pushdown
from infra.local.aws.athena.parsing import parse
from tests.infra.local.aws.athena.engine import Athena, StoredCatalog


def view(name: str, sql: str, *columns: tuple[str, str]) -> dict[str, Any]:
    """A view as Glue has it."""
    named = [{"name": column, "type": type_} for column, type_ in columns]
    body = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": "silver", "columns": named}
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    return {"Name": name, "TableType": "VIRTUAL_VIEW", "ViewOriginalText": f"/* Presto View: {encoded} */"}


NUMBERS = "SELECT day, n FROM (VALUES ('a', 1), ('b', 2), ('c', 3)) AS t(day, n)"
CATALOG = StoredCatalog(
    silver=[
        view("both", f"{NUMBERS} UNION ALL {NUMBERS}", ("day", "varchar"), ("n", "integer")),
        view("top", f"{NUMBERS} ORDER BY n DESC LIMIT 1", ("day", "varchar"), ("n", "integer")),
        view("total", f"SELECT day, SUM(n) AS n FROM ({NUMBERS}) GROUP BY day", ("day", "varchar"), ("n", "bigint")),
        view("itself", "SELECT n FROM itself WHERE n > 1", ("n", "integer")),
        view("one_more", NUMBERS, ("day", "varchar")),
        view("other_name", NUMBERS, ("day", "varchar"), ("m", "integer")),
        view("other_type", NUMBERS, ("day", "varchar"), ("n", "varchar")),
        view("wider", NUMBERS, ("day", "varchar(10)"), ("n", "bigint")),
        view("nested", "SELECT ARRAY[CAST(ROW(1) AS ROW(a integer))] AS x", ("x", "array(row(a integer))")),
    ]
)


@pytest.fixture
def athena(tmp_path: Path) -> Athena:
    return Athena(tmp_path, CATALOG)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT n FROM both WHERE day = 'b'", [["2"], ["2"]]),
        ("SELECT both.n FROM both WHERE both.day = 'b' AND both.n = 2", [["2"], ["2"]]),
        ("SELECT COUNT(*) FROM both x JOIN both y ON x.n = y.n WHERE x.day = 'b' AND y.day < 'c'", [["4"]]),
        ("SELECT COUNT(*) FROM both x LEFT JOIN both y ON x.n = y.n AND y.n = 9 WHERE y.day IS NULL", [["6"]]),
        ("WITH t AS (SELECT * FROM both WHERE n > 1) SELECT COUNT(*) FROM t, both", [["24"]]),
        ("SELECT n FROM both WHERE n = (SELECT MAX(n) FROM both WHERE day < 'c')", [["2"], ["2"]]),
        ("SELECT n FROM top WHERE n < 3", []),
        ("SELECT n FROM total WHERE n = 2", [["2"]]),
        ("SELECT n FROM wider WHERE n = 2", [["2"]]),
        ("SELECT COUNT(*) FROM nested", [["1"]]),
    ],
)
def test_condition_that_moves_into_a_view_changes_no_answer(athena: Athena, sql: str, rows: list[list[str]]) -> None:
    assert athena.rows(sql) == rows


@pytest.mark.parametrize(
    ("sql", "moved"),
    [
        ("SELECT 1 FROM v WHERE day = 'b' AND n > 1", ["day = 'b'", "n > 1"]),
        ("SELECT 1 FROM v x WHERE x.day = 'b' OR x.n > 1", ["x.day = 'b' OR x.n > 1"]),
        ("SELECT 1 FROM v x, w WHERE x.day = w.day AND x.n = 1 AND other = 2", ["x.n = 1"]),
        ("SELECT 1 FROM v LEFT JOIN w ON true WHERE v.day = 'b'", []),
        ("SELECT 1 FROM v WHERE n = (SELECT 1)", []),
        ("SELECT 1 FROM v WHERE 1 = 1", []),
    ],
)
def test_conditions_about_a_view_alone_are_moved(sql: str, moved: list[str]) -> None:
    tree = parse(sql)
    (table,) = [each for each in tree.find_all(pushdown.exp.Table) if each.name == "v"]

    assert [part.sql() for part in pushdown.conditions(tree, table, {"day", "n"})] == moved


@pytest.mark.parametrize(
    ("sql", "after"),
    [
        ("SELECT a AS day FROM t WHERE a < 'x'", "SELECT a AS day FROM t WHERE a < 'x' AND a = 'b'"),
        (
            "SELECT day FROM t UNION ALL SELECT b FROM u",
            "SELECT day FROM t WHERE day = 'b' UNION ALL SELECT b FROM u WHERE b = 'b'",
        ),
        ("SELECT day || 'x' AS day FROM t", None),
        ("SELECT day FROM t UNION SELECT day FROM u", None),
        ("SELECT day FROM t LIMIT 3", None),
        ("SELECT day FROM t GROUP BY day", None),
        ("SELECT * FROM t", None),
    ],
)
def test_condition_goes_where_it_means_the_same(sql: str, after: str | None) -> None:
    tree = parse(sql)

    pushdown.push(tree, [condition("day = 'b'")])

    assert tree.sql("trino") == (after or sql)


def condition(text: str) -> Any:
    return parse(f"SELECT 1 FROM v WHERE {text}").args["where"].this


def test_conditions_that_were_added_still_stand_by_themselves() -> None:
    tree = parse("SELECT day, n FROM t WHERE day < 'x' OR n = 1")

    pushdown.push(tree, [condition("n = 2 OR n = 3"), condition("day > 'a'"), condition("n < 9")])

    parts = [part.sql() for part in tree.args["where"].this.flatten()]
    assert parts == ["day < 'x' OR n = 1", "n = 2 OR n = 3", "day > 'a'", "n < 9"]
    assert "(day < 'x' OR n = 1) AND (n = 2 OR n = 3) AND" in tree.sql()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("one_more", "stored view column count (1) does not match column count derived from the view query"),
        ("other_name", "column [n] of type integer projected from query view at position 1 has a different name from"),
        ("other_type", "column [n] of type integer projected from query view at position 1 cannot be coerced"),
        ("itself", "recursive view"),
    ],
)
def test_view_that_is_not_what_it_says_is_refused(athena: Athena, name: str, reason: str) -> None:
    assert reason in athena.failure(f"SELECT * FROM {name}")
