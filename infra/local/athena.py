"""Runs a statement through the Athena API, as any client would: start, poll, fetch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from infra.local import clients, interrupts, tables
from infra.local.addresses import Addresses
from infra.local.errors import PlatformError
from infra.local.polling import wait_until

NUMBERS = frozenset({"tinyint", "smallint", "integer", "int", "bigint", "float", "real", "double", "decimal"})
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


class QueryFailedError(PlatformError):
    """A query ended otherwise than SUCCEEDED. The message is its StateChangeReason."""


@dataclass(frozen=True)
class Result:
    """What a statement gave, and the seconds from its start to its last row."""

    columns: tuple[tables.Column, ...]
    rows: tuple[tuple[str | None, ...], ...]
    seconds: float

    def __str__(self) -> str:
        if not self.columns:
            return f"done in {self.seconds:.1f} s"
        count = f"{len(self.rows)} row{'' if len(self.rows) == 1 else 's'}"
        return f"{tables.text(self.columns, self.rows)}\n({count}, {self.seconds:.1f} s)"


def query(addresses: Addresses, statement: str, *, database: str = "silver") -> Result:
    """Runs a statement and fetches all of its rows.

    Raises:
        QueryFailedError: the query FAILED or was CANCELLED.
        KeyboardInterrupt: Ctrl-C came. The query is stopped.
    """
    begun = time.monotonic()
    athena = clients.client(addresses, "athena")
    started = athena.start_query_execution(
        QueryString=statement,
        QueryExecutionContext={"Database": database, "Catalog": "AwsDataCatalog"},
        ResultConfiguration={"OutputLocation": addresses.environment()["SLUICE_ATHENA_OUTPUT"]},
    )
    execution_id = started["QueryExecutionId"]

    def end() -> dict[str, str] | None:
        status: dict[str, str] = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]
        return status if status["State"] in ENDED else None

    with interrupts.heard():
        try:
            status = wait_until(end, seconds=math.inf, pause=0.05, longest_pause=1)
        except KeyboardInterrupt:
            athena.stop_query_execution(QueryExecutionId=execution_id)
            raise
    if status["State"] != "SUCCEEDED":
        raise QueryFailedError(f"{status['State']}: {status.get('StateChangeReason', 'no reason given')}")
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id))
    described = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    columns = tuple(tables.Column(info["Name"], info["Type"].lower() in NUMBERS) for info in described)
    rows = [
        tuple(value.get("VarCharValue") for value in row["Data"]) for page in pages for row in page["ResultSet"]["Rows"]
    ]
    if rows and rows[0] == tuple(column.name for column in columns):
        rows = rows[1:]  # the first row of a SELECT holds the names
    return Result(columns, tuple(rows), time.monotonic() - begun)
