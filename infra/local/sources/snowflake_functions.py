"""Functions of Snowflake that fakesnow lacks: RESULT_SCAN within any query, and MD5_NUMBER_LOWER64.

`TABLE(RESULT_SCAN('<query id>'))` is the result of an earlier statement, counted, filtered or summed like a table
(https://docs.snowflake.com/en/sql-reference/functions/result_scan). Fakesnow gives it back whole, whatever is asked.
`MD5_NUMBER_LOWER64(text)` is the lower half of a text's MD5 as a whole number without sign.
"""

from __future__ import annotations

from typing import Any

from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

_NOT_FOUND = 709

_fakesnow_transform = FakeSnowflakeCursor._transform


def transform(cursor: Any, expression: exp.Expression, params: Any) -> Any:
    """Fakesnow's translation to DuckDB, after these functions are translated.

    Raises:
        ProgrammingError: there is no statement with such an id.
    """
    for scan in list(expression.find_all(exp.TableFromRows)):
        call = scan.this
        if isinstance(call, exp.Anonymous) and call.name.upper() == "RESULT_SCAN":
            scan.replace(exp.to_table(_result(cursor, call.expressions[0].name)))
    for call in list(expression.find_all(exp.MD5NumberLower64)):
        digits = exp.Substring(this=exp.MD5(this=call.this), start=exp.Literal.number(17))
        call.replace(exp.cast(exp.DPipe(this=exp.Literal.string("0x"), expression=digits), exp.DataType.Type.UBIGINT))
    return _fakesnow_transform(cursor, expression, params)


def _result(cursor: Any, statement: str) -> str:
    """Makes a statement's result a table of the session; returns its name."""
    known = cursor._conn.results_cache.get(statement)
    if known is None:
        raise ProgrammingError(msg=f"Statement {statement} not found", errno=_NOT_FOUND, sqlstate="02000")
    name = f"RESULT_{statement.replace('-', '_').upper()}"
    cursor._duck_conn.register(name, known[0])
    return name
