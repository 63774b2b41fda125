"""Tables whose partitions follow from their parameters: which objects a query reads, and that it reads no others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.catalog import ops_tables
from tests.infra.local.aws.athena.lake import Lake
from tests.infra.local.aws.stand_in import BUCKET

TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=40)
DAYS = (OLD, TODAY - timedelta(days=2), TODAY - timedelta(days=1), TODAY)
(RESULTS,) = [table for table in ops_tables.TABLES if table.name == "ops.dq_results"]


@pytest.fixture(scope="module")
def results(lake: Lake) -> Lake:
    """One result for each day, registered as the lake registers its own; and what must not be read."""
    for number, day in enumerate(DAYS):
        put(lake, f"day={day}/orders/{day:%Y%m%d}_000000.json", evaluated=number, table_name="silver.orders")
    put(lake, "day=2025-12-31/orders/before_the_range.json", evaluated=100)
    put(lake, "orders/beside_the_days.json", evaluated=200)
    put(lake, f"day={TODAY}/_tmp/hidden.json", evaluated=300)
    lake.glue.create_table(DatabaseName="ops", TableInput={**RESULTS.table_input(BUCKET), "Name": "dq_results"})
    return lake


def put(lake: Lake, name: str, **content: Any) -> None:
    lake.s3.put_object(Bucket=BUCKET, Key=f"gold/quality/{name}", Body=json.dumps(content) + "\n")


def asked(lake: Lake, sql: str) -> tuple[list[str | None], int]:
    """The first column of a query, and the bytes that it read."""
    query_id = lake.start(sql)
    execution = lake.wait(query_id)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    rows = lake.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    return [row["Data"][0].get("VarCharValue") for row in rows[1:]], execution["Statistics"]["DataScannedInBytes"]


def size(lake: Lake, *numbers: int) -> int:
    """Bytes of these days' objects."""
    keys = [f"gold/quality/day={DAYS[n]}/orders/{DAYS[n]:%Y%m%d}_000000.json" for n in numbers]
    return sum(int(lake.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"]) for key in keys)


EVERY = range(len(DAYS))


@pytest.mark.parametrize(
    ("sql", "found", "read"),
    [
        ("SELECT evaluated FROM ops.dq_results", EVERY, EVERY),
        (f"SELECT evaluated FROM ops.dq_results WHERE day = '{TODAY}'", [3], [3]),
        (f"SELECT evaluated FROM ops.dq_results r WHERE evaluated > 1 AND r.day >= '{DAYS[1]}'", [2, 3], [1, 2, 3]),
        (f"SELECT evaluated FROM ops.dq_results WHERE day IN ('{OLD}', '1999-01-01')", [0], [0]),
        (f"SELECT evaluated FROM ops.dq_results WHERE day = '{OLD}' OR day = '{TODAY}'", [0, 3], [0, 3]),
        (
            "SELECT evaluated FROM ops.dq_results WHERE day >= CAST(current_date - INTERVAL '1' DAY AS varchar)",
            [2, 3],
            [2, 3],
        ),
        (f"SELECT evaluated FROM ops.dq_results WHERE day = '{OLD}' OR evaluated = 3", [0, 3], EVERY),
        ("SELECT evaluated FROM ops.dq_results WHERE day = '1999-01-01'", [], []),
        (f"WITH t AS (SELECT * FROM ops.dq_results WHERE day = '{OLD}') SELECT evaluated FROM t", [0], [0]),
        (
            f"SELECT a.evaluated FROM ops.dq_results a JOIN ops.dq_results b ON a.evaluated = b.evaluated + 3 "
            f"WHERE a.day = '{TODAY}' AND b.day = '{OLD}'",
            [3],
            [0, 3],
        ),
        (
            "SELECT a.evaluated FROM ops.dq_results a LEFT JOIN ops.dq_results b ON a.evaluated = b.evaluated + 3 "
            f"WHERE a.day = '{TODAY}' AND b.day IS NULL",
            [],
            EVERY,
        ),
        (
            "SELECT evaluated FROM ops.dq_results WHERE day = "
            f"(SELECT MAX(day) FROM ops.dq_results WHERE day < '{TODAY}')",
            [2],
            EVERY,
        ),
    ],
)
def test_query_reads_the_days_that_its_where_leaves_and_no_object_beside_them(
    results: Lake, sql: str, found: list[int], read: list[int]
) -> None:
    rows, scanned = asked(results, sql)

    assert sorted(rows, key=str) == [str(number) for number in found]
    assert scanned == size(results, *read)


def test_day_is_a_column_beside_the_others(results: Lake) -> None:
    columns, rows = results.result(f"SELECT day, table_name FROM ops.dq_results WHERE day = '{TODAY}'")

    assert columns == [("day", "varchar"), ("table_name", "varchar")]
    assert rows[1:] == [[str(TODAY), "silver.orders"]]


def test_view_and_query_may_need_other_days_of_one_table(results: Lake) -> None:
    results.result(f"CREATE OR REPLACE VIEW ops.of_old AS SELECT evaluated FROM ops.dq_results WHERE day = '{OLD}'")
    union = f"SELECT evaluated FROM ops.dq_results WHERE day = '{TODAY}' UNION ALL SELECT evaluated FROM ops.of_old"

    assert sorted(asked(results, union)[0], key=str) == ["0", "3"]
    results.result("DROP VIEW ops.of_old")


def test_day_in_a_query_on_a_view_leaves_the_other_days_of_the_view_unread(results: Lake) -> None:
    results.result(f"CREATE VIEW ops.since AS SELECT evaluated, day FROM ops.dq_results WHERE day >= '{DAYS[1]}'")

    for more in ("", " AND evaluated > 1 AND evaluated < 9"):
        found = asked(results, f"SELECT evaluated FROM ops.since WHERE day = '{TODAY}'{more}")
        assert found == (["3"], size(results, 3))
    assert sorted(asked(results, f"SELECT evaluated FROM ops.since WHERE day <> '{OLD}'")[0], key=str) == list("123")
    results.result("DROP VIEW ops.since")


def test_projection_that_the_stand_in_does_not_know_fails_the_query(results: Lake) -> None:
    wanted = RESULTS.table_input(BUCKET)
    odd = {**wanted, "Name": "odd", "Parameters": {**wanted["Parameters"], "projection.day.type": "injected"}}
    results.glue.create_table(DatabaseName="ops", TableInput=odd)

    assert results.failure("SELECT * FROM ops.odd").startswith("INVALID_TABLE_PROPERTY: projection of day")
    results.glue.delete_table(DatabaseName="ops", Name="odd")


@pytest.fixture(scope="module", autouse=True)
def forget(lake: Lake) -> Any:
    yield
    lake.glue.delete_table(DatabaseName="ops", Name="dq_results")
