"""Translates types and values: Hive's into DuckDB's, DuckDB's into Athena's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

# Hive's type names where DuckDB's differ.
_FROM_HIVE = {"string": "VARCHAR", "int": "INTEGER", "binary": "BLOB", "float": "REAL"}
# DuckDB: (Presto, Hive, the API's precision).
_SCALARS = {
    "VARCHAR": ("varchar", "string", 2147483647),
    "BIGINT": ("bigint", "bigint", 19),
    "HUGEINT": ("bigint", "bigint", 19),  # DuckDB's sum of integers; Presto's is bigint
    "UBIGINT": ("bigint", "bigint", 19),
    "UINTEGER": ("bigint", "bigint", 19),
    "INTEGER": ("integer", "int", 10),
    "SMALLINT": ("smallint", "smallint", 5),
    "TINYINT": ("tinyint", "tinyint", 3),
    "DOUBLE": ("double", "double", 17),
    "FLOAT": ("real", "float", 17),
    "BOOLEAN": ("boolean", "boolean", 0),
    "DATE": ("date", "date", 0),
    "TIMESTAMP": ("timestamp(3)", "timestamp", 3),
    "TIMESTAMP_S": ("timestamp(3)", "timestamp", 3),
    "TIMESTAMP_MS": ("timestamp(3)", "timestamp", 3),
    "TIMESTAMP_NS": ("timestamp(3)", "timestamp", 3),
    "TIMESTAMP WITH TIME ZONE": ("timestamp(3) with time zone", "timestamp", 3),
    "INTERVAL": ("interval day to second", "string", 0),
    "TIME": ("time", "string", 3),
    "BLOB": ("varbinary", "binary", 0),
    "JSON": ("json", "string", 0),
    '"NULL"': ("unknown", "string", 0),
}


@dataclass(frozen=True)
class Column:
    """A column of a result.

    Attributes:
        presto: its type in `typeof` and DESCRIBE.
        hive: its type in Glue.
        api: its type in GetQueryResults, without precision and scale: `timestamp with time zone`.
    """

    name: str
    presto: str
    hive: str
    api: str
    precision: int = 0
    scale: int = 0


def column(name: str, engine: str) -> Column:
    """A result column of a DuckDB type."""
    name = name.lower()
    if decimal := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", engine):
        precision, scale = int(decimal[1]), int(decimal[2])
        text = f"decimal({precision},{scale})"
        return Column(name, text, text, "decimal", precision, scale)
    if engine.endswith("[]"):
        inner = column("", engine[:-2])
        return Column(name, f"array({inner.presto})", f"array<{inner.hive}>", "array")
    for prefix, api in (("STRUCT", "row"), ("MAP", "map")):
        if engine.startswith(prefix):
            return Column(name, api, "string", api)
    presto, hive, precision = _SCALARS.get(engine, ("varchar", "string", 2147483647))
    api = "float" if presto == "real" else re.sub(r"\(\d+\)", "", presto)
    return Column(name, presto, hive, api, precision)


def text_of(value: Any) -> str:
    """A value that is not NULL, as Athena prints it."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return _double(value)
        case Decimal():
            return format(value, "f")
        case datetime() if value.tzinfo:
            return _milliseconds(value.replace(tzinfo=None)) + " UTC"
        case datetime():
            return _milliseconds(value)
        case timedelta():
            return _interval(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.hex(" ")
        case Mapping():
            return "{" + ", ".join(f"{key}={_nested(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_nested, value)) + "]"
        case _:
            return str(value)


def _nested(value: Any) -> str:
    return "null" if value is None else text_of(value)


def _milliseconds(value: datetime) -> str:
    """A time rounded to milliseconds, half a millisecond up."""
    with suppress(OverflowError):  # in the last half millisecond of the year 9999
        value += timedelta(microseconds=500)
    return value.isoformat(sep=" ", timespec="milliseconds")


def _interval(value: timedelta) -> str:
    """As Trino prints an interval of days to seconds: `-1 02:00:00.000`."""
    total = round(abs(value) / timedelta(milliseconds=1))
    seconds, milliseconds = divmod(total, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = "-" if value < timedelta() else ""
    return f"{sign}{days} {hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _double(value: float) -> str:
    """As Java prints it: `1.0`, `33.33`, `1.0E7`, `1.0E-4`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = format(Decimal(repr(value)), "f")
        return plain if "." in plain else f"{plain}.0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    mantissa = f"{digits[0]}." + ("".join(map(str, digits[1:])) or "0")
    return f"{'-' if sign else ''}{mantissa}E{int(exponent) + len(digits) - 1}"


def engine_type(hive: str) -> str:
    """DuckDB's type for Hive's: `array<struct<a:int>>` -> `STRUCT("a" INTEGER)[]`."""
    hive = hive.strip()
    if inner := re.fullmatch(r"array<(.*)>", hive, re.IGNORECASE | re.DOTALL):
        return f"{engine_type(inner[1])}[]"
    if inner := re.fullmatch(r"map<(.*)>", hive, re.IGNORECASE | re.DOTALL):
        key, value = split(inner[1])
        return f"MAP({engine_type(key)}, {engine_type(value)})"
    if inner := re.fullmatch(r"struct<(.*)>", hive, re.IGNORECASE | re.DOTALL):
        fields = (field.split(":", 1) for field in split(inner[1]))
        return "STRUCT(" + ", ".join(f"{quoted(name.strip())} {engine_type(type_)}" for name, type_ in fields) + ")"
    return _FROM_HIVE.get(hive.lower(), hive.upper())


def read(name: str, *, is_time: bool) -> str:
    """A column of stored data as Athena reads it: of times it has no more than milliseconds, rounded."""
    column = quoted(name)
    return f"date_trunc('milliseconds', {column} + INTERVAL 500 MICROSECONDS) AS {column}" if is_time else column


def split(fields: str) -> list[str]:
    """Splits a list of types at the commas outside brackets."""
    parts, depth = [""], 0
    for character in fields:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def quoted(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
