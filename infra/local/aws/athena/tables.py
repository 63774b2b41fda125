"""Makes a Glue table readable in DuckDB. Delta tables are read in S3, external files are copied first.

DuckDB would have to download its own S3 and Delta readers. deltalake reads Delta without them, and the external
tables of a lake of this size (run ledger, quality results) are small.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from infra.local.addresses import REGION
from infra.local.aws.athena import files
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.projection import Partition
from infra.local.aws.athena.types import read
from jobs.lake.delta import log


def attach(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: dict[str, Any],
    scratch: Path,
    partitions: Sequence[Partition] | None = None,
) -> int:
    """Creates a DuckDB view over a Glue table's data.

    Args:
        connection: where to create the view.
        name: its name in quotes.
        table: Glue's description.
        scratch: a folder that only this view uses.
        partitions: the projected partitions to read; None for a table without projection, which is read whole.

    Returns:
        The bytes that a scan reads.
    """
    if _is_delta(table):
        return _attach_delta(connection, name, _location(table))
    if partitions is None:
        fetched, size = files.download(_location(table), scratch)
    else:
        fetched, size = files.download_partitions(partitions, scratch)
    connection.execute(f"CREATE OR REPLACE VIEW {name} AS {files.select(table, fetched)}")
    return size


def _attach_delta(connection: duckdb.DuckDBPyConnection, name: str, location: str) -> int:
    try:
        delta = DeltaTable(location, storage_options=_storage_options())
        dataset = log.rows(delta)
    except DeltaError as error:
        raise QueryError("DELTA_LAKE_INVALID_TABLE", f"{location}: {_plain(error)}", by_user=False) from error
    except OSError as error:
        raise QueryError("DELTA_LAKE_FILESYSTEM_ERROR", f"{location}: {_plain(error)}", by_user=False) from error
    registered = "delta:" + name.replace('"', "")
    connection.register(registered, dataset)
    columns = ", ".join(read(field.name, is_time=pa.types.is_timestamp(field.type)) for field in dataset.schema)
    connection.execute(f'CREATE VIEW {name} AS SELECT {columns} FROM "{registered}"')  # noqa: S608  # all are quoted
    return sum(delta.get_add_actions()["size_bytes"].to_pylist())


def _plain(error: Exception) -> str:
    """An error of deltalake as one line, instead of a coloured tree of causes."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())


def _storage_options() -> dict[str, str]:
    """Access to S3. Without credentials deltalake would ask the instance metadata address, and wait."""
    return {
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL_S3"],
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "sluice-local",
        "AWS_SECRET_ACCESS_KEY": "sluice-local",
        "AWS_REGION": REGION,
    }


def _is_delta(table: dict[str, Any]) -> bool:
    parameters = table.get("Parameters") or {}
    return "delta" in (
        str(parameters.get("table_type", "")).lower(),
        str(parameters.get("spark.sql.sources.provider", "")).lower(),
    )


def _location(table: dict[str, Any]) -> str:
    location = (table.get("StorageDescriptor") or {}).get("Location") or ""
    if not re.match(r"s3[an]?://", location):
        raise QueryError("HIVE_METASTORE_ERROR", f"Table '{table['Name']}' has no location in S3", by_user=False)
    return re.sub(r"^s3[an]://", "s3://", location).rstrip("/")
