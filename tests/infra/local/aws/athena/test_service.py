from __future__ import annotations

from functools import partial

import pytest
from botocore.exceptions import ClientError

from infra.local.aws.athena.service import AT_ONCE
from infra.local.polling import wait_until
from tests.infra.local.aws.athena.lake import OUTPUT, Lake
from tests.infra.local.aws.stand_in import BUCKET


def test_values_and_types_are_athena_s(lake: Lake) -> None:
    columns, rows = lake.result("SELECT * FROM orders ORDER BY order_id")
    assert dict(columns) == {
        "order_id": "varchar",
        "customer_id": "varchar",
        "order_date": "date",
        "currency": "varchar",
        "amount": "decimal",
        "status": "varchar",
        "updated_at": "timestamp with time zone",
        "lines": "integer",
        "weight": "double",
        "gift": "boolean",
    }
    time = "2026-01-05 10:00:00.124 UTC"
    assert rows[1:] == [
        ["o1", "c1", "2026-01-01", "EUR", "10.50", "PAID", time, "1", "0.5", "true"],
        ["o2", "c1", "2026-01-02", "USD", "2.25", "PAID", time, "2", "33.333", "false"],
        ["o3", "c2", "2026-01-03", "GBP", None, "PLACED", time, "7", "1.0E10", None],
    ]


def test_unnamed_columns_are_numbered_and_names_lower_case(lake: Lake) -> None:
    columns, _ = lake.result('SELECT COUNT(*), Status AS "STATUS", max(lines) + 1 FROM orders GROUP BY status')
    assert columns == [("_col0", "bigint"), ("status", "varchar"), ("_col2", "integer")]
    columns, _ = lake.result("SELECT o.ccy, r.*, 1 FROM fx_rates o, fx_rates r")
    assert [name for name, _ in columns] == ["ccy", "ccy", "as_of_date", "usd_rate", "_col4"]
    assert lake.rows("SELECT _col0 FROM (SELECT count(*) FROM orders)") == [["3"]]


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("7 / 2", "integer", "3"),
        ("-7 / 2", "integer", "-3"),
        ("count(*) / 2", "bigint", "1"),
        ("sum(lines) / 4", "bigint", "2"),
        ("7 / 2.0", "decimal", "3.5"),
        ("10.0 / 3", "decimal", "3.3"),
        ("7 / 2e0", "double", "3.5"),
        ("avg(amount)", "decimal", "6.38"),
        ("avg(lines)", "double", "3.3333333333333335"),
        ("sum(amount)", "decimal", "12.75"),
        ("round(sum(amount) / 7, 1)", "decimal", "1.80"),
        ("round(2.567, 1)", "decimal", "2.600"),
        ("round(2.567)", "decimal", "3"),
        ("date_add('day', 1, date '2026-01-31')", "date", "2026-02-01"),
        ("date_trunc('month', max(order_date))", "date", "2026-01-01"),
        ("max(order_date) - interval '1' day", "date", "2026-01-02"),
        ("date_diff('day', min(order_date), max(order_date))", "bigint", "2"),
        ("array[1, 2]", "array", "[1, 2]"),
        ("map(array['a'], array[1])", "map", "{a=1}"),
        ("1e-4", "double", "1.0E-4"),
        ("timestamp '2026-01-01 10:00:00'", "timestamp", "2026-01-01 10:00:00.000"),
    ],
)
def test_expression_is_typed_and_printed_as_in_trino(lake: Lake, expression: str, type_: str, value: str) -> None:
    columns, rows = lake.result(f"SELECT {expression} AS x FROM orders LIMIT 1")
    assert (columns, rows[1:]) == ([("x", type_)], [[value]])


def test_percentages_keep_one_digit_as_decimals_do_in_trino(lake: Lake) -> None:
    sql = """
        WITH counted AS (SELECT status, count(*) AS orders FROM orders GROUP BY 1)
        SELECT status, ROUND(SUM(orders) * 100.0 / SUM(SUM(orders)) OVER (), 2) AS share
        FROM counted GROUP BY status ORDER BY share DESC"""
    assert lake.rows(sql) == [["PAID", "66.7"], ["PLACED", "33.3"]]


def test_null_is_missing_and_the_empty_string_is_not(lake: Lake) -> None:
    assert lake.rows("SELECT NULL AS a, '' AS b, 'x' AS c") == [[None, "", "x"]]


def test_date_and_timestamp_can_be_united(lake: Lake) -> None:
    sql = "SELECT max(order_date) AS latest FROM orders UNION ALL SELECT max(updated_at) FROM orders"
    columns, rows = lake.result(sql)
    assert columns == [("latest", "timestamp with time zone")]
    assert sorted(row[0] or "" for row in rows[1:]) == ["2026-01-03 00:00:00.000 UTC", "2026-01-05 10:00:00.124 UTC"]


def test_time_is_rounded_to_milliseconds_and_found_again_by_what_is_printed(lake: Lake) -> None:
    ((printed,),) = lake.rows("SELECT max(updated_at) AS x FROM orders")
    assert printed == "2026-01-05 10:00:00.124 UTC"
    assert lake.rows(f"SELECT count(*) AS n FROM orders WHERE updated_at = timestamp '{printed}'") == [["3"]]
    assert lake.rows("SELECT CAST(max(updated_at) AS varchar) AS x FROM orders") == [[printed]]


def test_information_schema_shows_the_glue_catalog(lake: Lake) -> None:
    sql = """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'silver' AND table_name = 'orders' ORDER BY ordinal_position"""
    assert lake.rows(sql) == []  # tests register tables without columns, as Delta's log has them
    tables = lake.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'gold' ORDER BY 1")
    assert ["fact_orders"] in tables


def test_with_name_may_hide_the_table_that_it_reads(lake: Lake) -> None:
    sql = "WITH orders AS (SELECT * FROM orders WHERE status = 'PAID') SELECT count(*) AS n FROM orders"
    assert lake.rows(sql) == [["2"]]


def test_window_functions_and_subqueries_run(lake: Lake) -> None:
    sql = """
        SELECT order_id, row_number() OVER (PARTITION BY status ORDER BY order_date DESC) AS place
        FROM awsdatacatalog.silver.orders o
        WHERE EXISTS (SELECT 1 FROM gold.dim_customers WHERE id = o.customer_id)
        ORDER BY order_id"""
    assert lake.rows(sql) == [["o1", "2"], ["o2", "1"], ["o3", "1"]]


def test_parameters_replace_the_question_marks(lake: Lake) -> None:
    sql = "SELECT order_id, '?' AS mark FROM orders WHERE status = ? AND lines > ? LIMIT ?"
    assert lake.rows(sql, ExecutionParameters=["'PAID'", "1", "5"]) == [["o2", "?"]]
    assert "expected 3 but found 1" in lake.failure(sql, ExecutionParameters=["1"])


def test_output_is_a_csv_with_everything_quoted_but_null(lake: Lake) -> None:
    query_id = lake.start("""SELECT 1 AS "N", 'say "hi", you\nthere' AS text, NULL AS nothing""")
    execution = lake.wait(query_id)
    assert execution["ResultConfiguration"]["OutputLocation"] == f"{OUTPUT}{query_id}.csv"
    body = lake.s3.get_object(Bucket=BUCKET, Key=f"athena/{query_id}.csv")["Body"].read().decode()
    assert body == '"n","text","nothing"\n"1","say ""hi"", you\nthere",\n'
    rows = lake.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    assert rows[1]["Data"] == [{"VarCharValue": "1"}, {"VarCharValue": 'say "hi", you\nthere'}, {}]


def test_large_result_is_read_in_pages(lake: Lake) -> None:
    query_id = lake.start("SELECT x, 'row ' || cast(x AS varchar) AS text FROM unnest(sequence(1, 2500)) AS t(x)")
    assert lake.wait(query_id)["Status"]["State"] == "SUCCEEDED"
    first = lake.athena.get_query_results(QueryExecutionId=query_id)
    assert len(first["ResultSet"]["Rows"]) == 1000
    small = lake.athena.get_query_results(QueryExecutionId=query_id, MaxResults=2, NextToken=first["NextToken"])
    assert [row["Data"][0]["VarCharValue"] for row in small["ResultSet"]["Rows"]] == ["1000", "1001"]
    pages = lake.athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
    values = [row["Data"][0]["VarCharValue"] for page in pages for row in page["ResultSet"]["Rows"]]
    assert values == ["x", *map(str, range(1, 2501))]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.silver.nope' does not exist"),
        ("SELECT 1\nFROM no.x", "SCHEMA_NOT_FOUND: line 2:6: Schema 'no' does not exist"),
        ("SELECT order_id, nope FROM orders", "COLUMN_NOT_FOUND: line 1:18: Column 'nope' cannot be resolved"),
        ("SELECT o.nope FROM orders o", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        ("SELECT * FORM orders WHERE", "SYNTAX_ERROR: line 1:"),
        ("SELECT 'open", "SYNTAX_ERROR: "),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR: Only one sql statement is allowed"),
        ("SELECT nope(1)", "FUNCTION_NOT_FOUND: "),
        ("SELECT order_id FROM orders GROUP BY status", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'order_id'"),
        ("SELECT lines / (lines - 1) FROM orders", "DIVISION_BY_ZERO: "),
        ("SELECT CAST(status AS integer) FROM orders", "INVALID_CAST_ARGUMENT: "),
        ("SELECT * FROM orders FOR VERSION AS OF 1", "NOT_SUPPORTED: line 1:15: "),
        ("INSERT INTO orders VALUES (1)", "NOT_SUPPORTED: "),
    ],
)
def test_failed_query_says_why_in_athena_s_words(lake: Lake, sql: str, reason: str) -> None:
    assert lake.failure(sql).startswith(reason)


def test_results_of_failed_and_unknown_queries_are_refused(lake: Lake) -> None:
    query_id = lake.start("SELECT * FROM nope")
    lake.wait(query_id)
    with pytest.raises(ClientError, match=r"Query did not finish successfully\. Final query state: FAILED"):
        lake.athena.get_query_results(QueryExecutionId=query_id)
    with pytest.raises(ClientError, match="InvalidRequestException"):
        lake.athena.get_query_execution(QueryExecutionId="unknown")


def test_table_whose_files_are_gone_fails_the_query(lake: Lake) -> None:
    lake.register("silver", "gone", f"s3://{BUCKET}/gone", Parameters={"table_type": "DELTA"})
    assert lake.failure("SELECT * FROM gone").startswith("DELTA_LAKE_INVALID_TABLE: ")
    lake.glue.delete_table(DatabaseName="silver", Name="gone")


def test_cancelled_queries_end_and_make_room_for_others(lake: Lake) -> None:
    endless = "SELECT count(*) FROM unnest(sequence(1, 100000)) a(x), unnest(sequence(1, 1000000)) b(y) WHERE x + y = 7"
    running = [lake.start(endless) for _ in range(AT_ONCE)]
    for query_id in running:
        wait_until(partial(lake.is_running, query_id), seconds=30)
        lake.athena.stop_query_execution(QueryExecutionId=query_id)
        assert lake.wait(query_id)["Status"]["State"] == "CANCELLED"
    assert lake.rows("SELECT 1 AS free") == [["1"]]


def test_reused_request_token_returns_the_first_query(lake: Lake) -> None:
    token = "t" * 32
    first = lake.start("SELECT 1", ClientRequestToken=token)
    assert lake.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent"):
        lake.start("SELECT 2", ClientRequestToken=token)


def test_work_group_s_output_location_is_used_and_enforced(lake: Lake) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        lake.athena.start_query_execution(QueryString="SELECT 1")
    place = f"s3://{BUCKET}/group/"
    lake.athena.create_work_group(
        Name="group", Configuration={"ResultConfiguration": {"OutputLocation": place}}, Description="x"
    )
    execution = lake.wait(lake.start("SELECT 1", WorkGroup="group"))
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(place)
    assert execution["WorkGroup"] == "group"
    listed = lake.athena.list_query_executions(WorkGroup="group")["QueryExecutionIds"]
    assert listed == [execution["QueryExecutionId"]]
    got = lake.athena.batch_get_query_execution(QueryExecutionIds=[*listed, "unknown"])
    assert [query["QueryExecutionId"] for query in got["QueryExecutions"]] == listed
    assert got["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "unknown"


def test_missing_output_bucket_fails_the_query(lake: Lake) -> None:
    reason = lake.failure("SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket/x/"})
    assert "no-such-bucket" in reason


def test_statistics_show_time_and_bytes_read(lake: Lake) -> None:
    statistics = lake.wait(lake.start("SELECT * FROM orders"))["Statistics"]
    assert statistics["DataScannedInBytes"] > 0
    assert statistics["TotalExecutionTimeInMillis"] >= statistics["EngineExecutionTimeInMillis"] > 0
