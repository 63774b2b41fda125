"""Accounts that share a stamp, the query that lists them, and the error code of a refused query."""

from __future__ import annotations

from typing import Any

STAMP = "2026-10-30T08:00:00Z"
BY_STAMP = "SELECT Id, SystemModstamp FROM Account ORDER BY SystemModstamp, Id"


def accounts(number: int, **fields: object) -> list[dict[str, object]]:
    return [{"Id": f"001{i:012d}AAA", "Name": f"n{i}", "SystemModstamp": STAMP, **fields} for i in range(number)]


def error_code(error: Any) -> str:
    return str(error.value.content[0]["errorCode"])
