"""Query results: one CSV or text object in S3, which GetQueryResults reads page by page, as on AWS.

No result stays in this process: rows go from the engine to a temporary file, and from there to S3. The token of the
next page is the byte at which it starts.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import duckdb

from infra.local.aws.athena.query import UNNAMED
from infra.local.aws.athena.types import Column, column, text_of
from infra.local.aws.s3 import bucket_and_key, s3_client

ROWS_AT_ONCE = 5000
IN_MEMORY = 1 << 20  # bytes of a result that may stay in memory; more goes to disk
CHUNK = 1 << 16

Row = Sequence[str | None]


@dataclass(frozen=True)
class Result:
    """What a statement gives. A query's first row is a header with the column names; SHOW and DESCRIBE have none."""

    columns: Sequence[Column]
    rows: Iterable[Row]
    header: bool


def of_cursor(cursor: duckdb.DuckDBPyConnection) -> Result:
    """The result of a running query. Its rows are fetched when they are read."""
    described = enumerate(cursor.description or [])
    columns = [column(_name(entry[0], index), str(entry[1])) for index, entry in described]
    return Result(columns, _rows(cursor), header=True)


def of_lines(columns: Sequence[str], lines: Iterable[str]) -> Result:
    """The result of SHOW or DESCRIBE: one text per row holds all columns."""
    return Result([Column(name, "varchar", "string", "string") for name in columns], [[line] for line in lines], False)


def _name(name: str, index: int) -> str:
    return f"_col{index}" if name.startswith(UNNAMED) else name


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while fetched := cursor.fetchmany(ROWS_AT_ONCE):
        for row in fetched:
            yield [None if value is None else text_of(value) for value in row]


def store(result: Result, uri: str) -> int:
    """Writes a result to S3. Returns its size in bytes."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        _write(result, file)
        size = file.tell()
        file.seek(0)
        s3_client().upload_fileobj(file, *bucket_and_key(uri))
    return size


def _write(result: Result, file: IO[bytes]) -> None:
    if result.header:
        file.write(_line([column.name for column in result.columns]))
        for row in result.rows:
            file.write(_line(row))
    else:
        for row in result.rows:
            file.write(f"{row[0]}\n".encode())


def _line(row: Row) -> bytes:
    """A CSV line with every value in quotes. NULL is nothing at all, so that it differs from an empty string."""
    return (",".join("" if text is None else '"' + text.replace('"', '""') + '"' for text in row) + "\n").encode()


def page(uri: str, size: int, *, start: int, limit: int, as_csv: bool) -> tuple[list[list[str | None]], int | None]:
    """Reads rows of a stored result.

    Args:
        uri: its object.
        size: its bytes.
        start: byte of the first row.
        limit: how many rows at most.
        as_csv: whether its lines are CSV.

    Returns:
        The rows, and the byte at which the next page starts, if there is one.
    """
    if start >= size:
        return [], None
    bucket, key = bucket_and_key(uri)
    body = s3_client().get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-")["Body"]
    rows, read = [], start
    try:
        for row, length in _parse(body.iter_chunks(CHUNK), as_csv):
            rows.append(row)
            read += length
            if len(rows) == limit:
                break
    finally:
        body.close()
    return rows, read if read < size else None


_CSV_FIELD = re.compile(rb'(?:"((?:[^"]|"")*)")?([,\n])')
_TEXT_FIELD = re.compile(rb"([^\n]*)(\n)")


def _parse(chunks: Iterable[bytes], as_csv: bool) -> Iterator[tuple[list[str | None], int]]:
    """Rows, each with its length in bytes."""
    field = _CSV_FIELD if as_csv else _TEXT_FIELD
    buffer, row, row_bytes = b"", [], 0
    for chunk in chunks:
        buffer += chunk
        at = 0
        while found := field.match(buffer, at):
            text: bytes | None = found[1]
            row.append(None if text is None else text.replace(b'""', b'"').decode() if as_csv else text.decode())
            row_bytes += found.end() - at
            at = found.end()
            if found[2] == b"\n":
                yield row, row_bytes
                row, row_bytes = [], 0
        buffer = buffer[at:]


def shape(rows: Iterable[list[str | None]], columns: Sequence[Column]) -> dict[str, Any]:
    """The rows as GetQueryResults answers them."""
    return {
        "Rows": [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in rows],
        "ResultSetMetadata": {"ColumnInfo": [_info(column) for column in columns]},
    }


def _info(column: Column) -> dict[str, Any]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": column.api,
        "Precision": column.precision,
        "Scale": column.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": column.api == "varchar",
    }
