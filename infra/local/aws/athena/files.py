"""External tables of JSON, CSV and Parquet files: a local copy, which is read as the table's SerDe would read it.

Differences from Athena: keys of JSON objects must be in lower case, as the columns are. Every folder counts as a
partition, even one that Glue doesn't know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os.path import commonprefix
from pathlib import Path
from typing import Any

from infra.local.aws.athena.catalog import columns_of
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.projection import Partition
from infra.local.aws.athena.types import engine_type, quoted, read
from infra.local.aws.s3 import bucket_and_key, s3_client

DOWNLOADS_AT_ONCE = 8
LISTED_ONE_BY_ONE = 10  # partitions; of more, what they have in common is listed


def download(location: str, scratch: Path) -> tuple[list[Path], int]:
    """Copies the table's files into folders named as in S3. Returns the files and their size in bytes."""
    bucket, folder = bucket_and_key(location)
    prefix, client = folder.rstrip("/") + "/", s3_client()
    listed = [(item, _visible(prefix, item)) for item in _listed(client, bucket, prefix)]
    return _fetch(client, bucket, listed, scratch)


def download_partitions(partitions: Sequence[Partition], scratch: Path) -> tuple[list[Path], int]:
    """Copies the files of projected partitions into folders `<key>=<value>`, in which DuckDB sees the key's value."""
    if not partitions:
        return [], 0
    places = {bucket_and_key(partition.location): partition for partition in partitions}
    bucket = next(iter(places))[0]
    folders = [folder for _, folder in places]
    # The rule warns of commonprefix because it cuts paths inside of a name. S3 lists by such prefixes of keys.
    listed = folders if len(folders) <= LISTED_ONE_BY_ONE else [commonprefix(folders)]  # noqa: RUF071
    found, lengths, client = [], {len(folder) for folder in folders}, s3_client()
    for item in (item for prefix in listed for item in _listed(client, bucket, prefix)):
        folder = next((item["Key"][:length] for length in lengths if (bucket, item["Key"][:length]) in places), None)
        if folder and (rest := _visible(folder, item)):
            partition = places[bucket, folder]
            found.append((item, f"{partition.column}={partition.value}/{rest}"))
    return _fetch(client, bucket, found, scratch)


def _listed(client: Any, bucket: str, prefix: str) -> Iterable[dict[str, Any]]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return (item for page in pages for item in page.get("Contents", []))


def _visible(prefix: str, item: dict[str, Any]) -> str:
    """The rest of the key; empty for what Hive skips: folder markers, and names that start with _ or a dot."""
    rest = str(item["Key"])[len(prefix) :]
    return "" if not item["Size"] or re.search(r"(^|/)[_.]", rest) else rest


def _fetch(
    client: Any, bucket: str, found: Sequence[tuple[dict[str, Any], str]], scratch: Path
) -> tuple[list[Path], int]:
    """Downloads objects to these paths; those without a path are left out."""
    wanted = [(item, rest) for item, rest in found if rest]

    def fetch(one: tuple[dict[str, Any], str]) -> Path:
        target = scratch / bucket / one[1]
        target.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, one[0]["Key"], str(target))
        return target

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        return list(pool.map(fetch, wanted)), sum(item["Size"] for item, _ in wanted)


def select(table: dict[str, Any], files: list[Path]) -> str:
    """A SELECT over the downloaded files, by the table's SerDe."""
    if not files:
        return _empty(table)
    descriptor = table["StorageDescriptor"]
    serde = descriptor.get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary", ""))
    parameters = {**(table.get("Parameters") or {}), **(serde.get("Parameters") or {})}
    partitions = {column["Name"]: engine_type(column["Type"]) for column in table.get("PartitionKeys") or []}
    columns = {column["Name"]: engine_type(column["Type"]) for column in descriptor.get("Columns") or []}
    options = {"hive_partitioning": "true" if partitions else "false"}
    if partitions:
        options["hive_types"] = _struct(partitions, quote=False)
    paths = "[" + ", ".join(_text(str(file)) for file in files) + "]"
    if library.endswith(".ParquetHiveSerDe"):
        function = "read_parquet"
        options["union_by_name"] = "true"
    elif library.endswith(".JsonSerDe"):
        function = "read_json"
        options |= {"format": "'newline_delimited'", "columns": _struct(columns)}
        if str(parameters.get("ignore.malformed.json", "")).lower() == "true":
            options["ignore_errors"] = "true"
    elif library.endswith((".OpenCSVSerde", ".LazySimpleSerDe")):
        function = "read_csv"
        options |= _csv_options(columns, parameters, library)
    else:
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Unsupported SerDe: {library or 'none'}", by_user=False)
    selected = ", ".join(
        read(name, is_time=type_ == "TIMESTAMP") for name, type_ in [*columns.items(), *partitions.items()]
    )
    settings = ", ".join(f"{key} = {value}" for key, value in options.items())
    return f"SELECT {selected} FROM {function}({paths}, {settings})"  # noqa: S608  # all parts are quoted


def _csv_options(columns: dict[str, str], parameters: dict[str, str], library: str) -> dict[str, str]:
    quoted = library.endswith(".OpenCSVSerde")
    delimiter = parameters.get("separatorChar") or parameters.get("field.delim") or ("," if quoted else "\x01")
    return {
        "auto_detect": "false",
        "columns": _struct(columns),
        "delim": _text(delimiter),
        "quote": _text(parameters.get("quoteChar", '"') if quoted else ""),
        "escape": _text(parameters.get("escapeChar", '"') if quoted else ""),
        "skip": str(int(parameters.get("skip.header.line.count") or 0)),
        "header": "false",
        "nullstr": _text("" if quoted else r"\N"),
    }


def _empty(table: dict[str, Any]) -> str:
    columns = ", ".join(f"CAST(NULL AS {engine_type(type_)}) AS {quoted(name)}" for name, type_, _ in columns_of(table))
    return f"SELECT {columns} WHERE false"


def _struct(types: dict[str, str], *, quote: bool = True) -> str:
    return "{" + ", ".join(f"{_text(key)}: {_text(type_) if quote else type_}" for key, type_ in types.items()) + "}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
