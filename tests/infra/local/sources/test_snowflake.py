"""The Snowflake stand-in, called with the real connector."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, OperationalError, ProgrammingError

from infra.local.addresses import HOST, Addresses
from infra.local.secrets import snowflake_credentials
from tests.infra.local.sources.conftest import Server


def connect(addresses: Addresses, **changed: Any) -> Any:
    known = snowflake_credentials(addresses)
    settings = {
        "account": known["account"],
        "user": known["username"],
        "password": known["password"],
        "host": HOST,
        "port": urlsplit(addresses.snowflake).port,
        "protocol": "http",
        "warehouse": known["warehouse"],
        "database": known["database"],
        "schema": known["schema"],
    }
    return snowflake.connector.connect(**{**settings, **changed})


@pytest.fixture
def connection(addresses: Addresses, servers: dict[str, Server]) -> Iterator[Any]:
    assert servers["snowflake"].process is not None
    with connect(addresses) as opened:
        yield opened


@pytest.fixture
def typed(connection: Any) -> Any:
    """A cursor, and a table T of all types with a common, a null and an extreme row."""
    cursor = connection.cursor()
    cursor.execute(
        "CREATE OR REPLACE TABLE T (K INT, A NUMBER(18,2), B NUMBER(38,0), C NUMBER(38,10), D DATE, S VARCHAR,"
        " F FLOAT, O BOOLEAN, N TIMESTAMP_NTZ(9), L TIMESTAMP_LTZ(9), Z TIMESTAMP_TZ(9))"
    )
    cursor.execute(
        "INSERT INTO T VALUES (1, 1.23, 1234567890123456789, 1.25, '2026-10-30', 'x', 1.5, TRUE,"
        " '2026-10-30 08:00:00.123456', '2026-10-30 08:00:00.123456+00:00', '2026-10-30 08:00:00.123456+02:00')"
    )
    cursor.execute("INSERT INTO T (K) VALUES (2)")
    cursor.execute(
        "INSERT INTO T VALUES (3, -9999999999999999.99, 0, -1, '9999-12-31', '', -1, FALSE,"
        " '9999-12-31 23:59:59.999999', '1960-01-01 00:00:00.5+00:00', '9999-12-31 00:00:00+00:00')"
    )
    return cursor


def test_a_wrong_password_is_the_connectors_own_error(addresses: Addresses, connection: Any) -> None:
    for wrong in ({"password": "no"}, {"user": "no"}):
        with pytest.raises(DatabaseError, match=r"Incorrect username or password was specified\.") as refused:
            connect(addresses, **wrong)
        assert refused.value.errno == 390100


def test_a_mistyped_database_is_an_error_not_an_empty_database(addresses: Addresses, connection: Any) -> None:
    with connect(addresses, database="SALE") as other, pytest.raises(ProgrammingError) as refused:
        other.cursor().execute("SELECT * FROM ORDERS")
    assert refused.value.errno == 90105


def test_missing_tables_and_columns_have_snowflakes_states(typed: Any) -> None:
    for sql, state in (("SELECT * FROM NOTHING", "42S02"), ("SELECT NOTHING FROM T", "02000")):
        with pytest.raises(ProgrammingError) as refused:
            typed.execute(sql)
        assert refused.value.sqlstate == state


def test_rows_come_back_with_nulls_as_nulls(typed: Any) -> None:
    common, null, extreme = typed.execute("SELECT * FROM T ORDER BY K").fetchall()
    at = datetime(2026, 10, 30, 8, 0, 0, 123456)
    assert common[1:9] == (
        Decimal("1.23"), 1234567890123456789, Decimal("1.25"), date(2026, 10, 30), "x", 1.5, True, at
    )  # fmt: skip
    assert common[9] == at.replace(tzinfo=UTC)
    assert common[10] == datetime(2026, 10, 30, 6, 0, 0, 123456, UTC)
    assert set(null[1:]) == {None}
    assert extreme[1] == Decimal("-9999999999999999.99")
    assert extreme[4] == date(9999, 12, 31)
    assert extreme[8] == datetime(9999, 12, 31, 23, 59, 59, 999999)
    assert extreme[9] == datetime(1960, 1, 1, 0, 0, 0, 500000, UTC)


def arrow(cursor: Any, sql: str, **options: Any) -> pa.Table:
    cursor.execute(sql)
    return pa.concat_tables(cursor.fetch_arrow_batches(**options))


def test_arrow_types_are_those_of_the_docstring(addresses: Addresses, typed: Any) -> None:
    table = arrow(typed, "SELECT A, B, C, D, S, F, O, N, L, Z FROM T WHERE K < 3 ORDER BY K")
    assert {field.name: str(field.type) for field in table.schema} == {
        "A": "double",
        "B": "int64",
        "C": "decimal128(38, 10)",
        "D": "date32[day]",
        "S": "string",
        "F": "double",
        "O": "bool",
        "N": "timestamp[ns]",
        "L": "timestamp[ns, tz=Etc/UTC]",
        "Z": "timestamp[ns, tz=Etc/UTC]",
    }
    assert [column.null_count for column in table.columns] == [1] * 10

    with connect(addresses, arrow_number_to_decimal=True) as exact:
        amounts = arrow(exact.cursor(), "SELECT A FROM T ORDER BY K")["A"]
    assert str(amounts.type) == "decimal128(38, 2)"
    assert amounts.to_pylist() == [Decimal("1.23"), None, Decimal("-9999999999999999.99")]


def test_times_beyond_2262_arrive_in_microseconds(typed: Any) -> None:
    far = arrow(typed, "SELECT N FROM T ORDER BY K")
    assert str(far["N"].type) == "timestamp[us]"
    assert far["N"].to_pylist()[2] == datetime(9999, 12, 31, 23, 59, 59, 999999)
    near = arrow(typed, "SELECT N FROM T WHERE K = 1", force_microsecond_precision=True)
    assert str(near["N"].type) == "timestamp[us]"


def test_an_empty_result_has_no_batch_but_a_table_on_request(typed: Any) -> None:
    sql = "SELECT A, N FROM T WHERE K > 9"
    assert list(typed.execute(sql).fetch_arrow_batches()) == []
    assert typed.execute(sql).fetch_arrow_all() is None
    assert typed.execute(sql).fetch_arrow_all(force_return_table=True).column_names == ["A", "N"]
    assert typed.execute("SELECT MAX(N) FROM T WHERE K > 9").fetchall() == [(None,)]


def test_result_batches_can_be_read_one_by_one(typed: Any) -> None:
    typed.execute("SELECT K, A FROM T")
    batches = typed.get_result_batches()
    assert sum(batch.rowcount for batch in batches) == 3
    assert sum(batch.to_arrow().num_rows for batch in batches) == 3


def test_the_result_of_a_statement_is_asked_like_a_table_and_stays_as_it_was(typed: Any) -> None:
    statement = typed.execute("SELECT K, A FROM T WHERE K < 3").sfqid
    typed.execute("DELETE FROM T")
    found = typed.execute(f"SELECT COUNT(*), MAX(A) FROM TABLE(RESULT_SCAN('{statement}')) WHERE K > 0").fetchall()
    assert found == [(2, Decimal("1.23"))]

    with pytest.raises(ProgrammingError, match="not found") as refused:
        typed.execute("SELECT COUNT(*) FROM TABLE(RESULT_SCAN('01b71944-0001-b181-0000-0129032279f6'))")
    assert refused.value.errno == 709


def test_the_lower_half_of_an_md5_is_a_whole_number_without_sign(typed: Any) -> None:
    # The value is that of Snowflake's documentation.
    found = typed.execute("SELECT CAST(MD5_NUMBER_LOWER64('Snowflake') AS VARCHAR)").fetchall()
    assert found == [("9203306159527282910",)]


def test_a_half_open_window_is_read_by_parameters(typed: Any) -> None:
    window = (datetime(2026, 10, 30, 8, 0, 0, 123456), datetime(2026, 10, 31))
    sql = "SELECT K FROM T WHERE N >= %s AND N < %s"
    assert typed.execute(sql, window).fetchall() == [(1,)]
    assert typed.execute(sql, (date(2026, 1, 1), window[0])).fetchall() == []


def test_columns_can_be_read_from_describe_and_information_schema(typed: Any) -> None:
    described = {row[0]: row[1] for row in typed.execute("DESCRIBE TABLE T").fetchall()}
    assert described["A"] == "NUMBER(18,2)"
    assert described["N"] == "TIMESTAMP_NTZ(9)"
    typed.execute(
        "SELECT COLUMN_NAME, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE FROM SALES.INFORMATION_SCHEMA.COLUMNS"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND COLUMN_NAME IN ('A', 'D') ORDER BY ORDINAL_POSITION",
        ("PUBLIC", "T"),
    )
    assert typed.fetchall() == [("A", "NUMBER", 18, 2), ("D", "DATE", None, None)]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER SESSION SET TIMEZONE = 'UTC'",
        "ALTER SESSION SET QUERY_TAG = 'run'",
        "ALTER SESSION UNSET QUERY_TAG",
        "USE WAREHOUSE LAKEHOUSE_WH",
        "USE ROLE SYSADMIN",
        "USE SECONDARY ROLES ALL",
        "CREATE OR REPLACE WAREHOUSE W",
        "ALTER WAREHOUSE W RESUME",
    ],
)
def test_session_statements_succeed(connection: Any, statement: str) -> None:
    assert connection.cursor().execute(statement).fetchall() == [("Statement executed successfully.",)]


def test_committed_rows_and_databases_survive_a_kill(addresses: Addresses, servers: dict[str, Server]) -> None:
    with connect(addresses) as before:
        cursor = before.cursor()
        cursor.execute("CREATE OR REPLACE TABLE KEPT (A NUMBER(18,2))")
        cursor.execute("INSERT INTO KEPT VALUES (1.5)")
        cursor.execute("CREATE DATABASE IF NOT EXISTS OTHER")
        cursor.execute("CREATE SCHEMA IF NOT EXISTS OTHER.PUBLIC")
        cursor.execute("CREATE TABLE OTHER.PUBLIC.THERE (A INT)")
    servers["snowflake"].stop(signal.SIGKILL)
    with pytest.raises(OperationalError):
        connect(addresses, login_timeout=2)
    servers["snowflake"].start()
    with connect(addresses) as after:
        assert after.cursor().execute("SELECT A FROM KEPT").fetchall() == [(Decimal("1.50"),)]
        assert after.cursor().execute("SELECT * FROM OTHER.PUBLIC.THERE").fetchall() == []
