"""A lake with results and records of some months, as summaries; and an S3 that holds them in memory."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from dq import summary

ORDERS, FACTS, RATES, EVENTS = "silver.orders", "gold.fact_orders", "silver.fx_rates", "bronze.orders_events"
CONSERVATION = ("critical", "conservation", "conservation")
UNIQUE = ("critical", "order_id be_unique", "expect_column_values_to_be_unique")
CODE = ("warning", "currency not_match_regex", "expect_column_values_to_not_match_regex")
AGE = ("warning", "updated_at column_max_to_be_between", "expect_column_max_to_be_between")
RULES = (CONSERVATION, UNIQUE, CODE, AGE)


def judged(rule: tuple[str, str, str], at: datetime, **other: Any) -> dict[str, Any]:
    """One rule's outcome; it holds unless something else is said."""
    severity, name, expectation = rule
    observed = {"observed_value": (at - timedelta(hours=2)).isoformat()} if rule == AGE else {}
    return {
        "expectation": expectation, "rule": name, "kwargs": {}, "severity": severity, "success": True,
        "observed": observed, "error": None, "why": "", "examples": [], **other,
    }  # fmt: skip


def doubled(at: datetime, *examples: str) -> dict[str, Any]:
    """A doubled order: a critical failure."""
    return judged(
        UNIQUE, at, success=False, observed={"unexpected_count": 2, "element_count": 1200},
        why="a doubled order doubles its revenue", examples=[{"order_id": name} for name in examples],
    )  # fmt: skip


def metal(at: datetime, count: int = 3) -> dict[str, Any]:
    """An order in gold: a warning."""
    return judged(CODE, at, success=False, observed={"unexpected_count": count, "element_count": 1200})


def result(table: str, at: datetime, *failures: dict[str, Any], **other: Any) -> tuple[str, dict[str, Any]]:
    """A gate's result and its key; rules that are not among the failures hold."""
    broken = {each["rule"]: each for each in failures}
    results = [broken.get(rule[1]) or judged(rule, at) for rule in RULES]
    critical = any((not each["success"] and each["severity"] == "critical") or each["error"] for each in results)
    content = {
        "table_name": table, "dag_id": "daily_lakehouse", "run_id": f"scheduled__{at:%Y-%m-%dT%H:%M:%S}+00:00",
        "step": "gate" if table.startswith("silver") else table, "job": "job", "version": 41, "suite": "s",
        "validated_at": at.isoformat(), "success": not critical, "evaluated": len(results), "failed": len(broken),
        "results": results, **other,
    }  # fmt: skip
    short = table.partition(".")[2]
    return f"gold/quality/day={at:%Y-%m-%d}/{short}/{at:%Y%m%d_%H%M%S}.json", content


def record(table: str, at: datetime, version: int = 41, **counts: Any) -> tuple[str, dict[str, Any]]:
    """A record of the ledger and its key."""
    content = {
        "table_name": table, "output_version": version, "committed_at": at.isoformat(), "dag_id": "daily_lakehouse",
        "run_id": f"scheduled__{at:%Y-%m-%dT%H:%M:%S}+00:00", "step": table, "table_rows": 1_204_331, **counts,
    }  # fmt: skip
    return f"ops/run_ledger/day={at:%Y-%m-%d}/{table}/{version:020d}-{at:%H%M%S}000.json", content


def summed(
    table: str, results: Sequence[tuple[str, Any]], records: Sequence[tuple[str, Any]], today: date, **other: Any
) -> dict[str, Any]:
    """The summary of these objects."""
    made = summary.empty(table)
    for add, found in ((summary.add_results, results), (summary.add_records, records)):
        for named in found:
            add(made, named[0].split("/")[2].removeprefix("day="), [named])
    summary.finish(made, today)
    return {**made, **other}


class S3InMemory:
    """What the page asks of boto3's client. It counts requests and bytes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.away = False

    def put(self, key: str, value: Any) -> None:
        self.objects[key] = (json.dumps(value, sort_keys=True) + "\n").encode()

    def get_paginator(self, name: str) -> S3InMemory:
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        self._answer(f"LIST {asked['Prefix']}")
        found = [
            {"Key": key, "ETag": _tag(body)}
            for key, body in sorted(self.objects.items())
            if key.startswith(asked["Prefix"])
        ]
        for start in range(0, len(found), 1000):
            yield {"Contents": found[start : start + 1000]}

    def get_object(self, **asked: str) -> dict[str, Any]:
        self._answer(f"GET {asked['Key']}")
        if asked["Key"] not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        body = self.objects[asked["Key"]]
        return {"Body": io.BytesIO(body), "ETag": _tag(body), "ContentLength": len(body)}

    def _answer(self, request: str) -> None:
        self.asked.append(request)
        if self.away:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1/secret")


def _tag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@cache
def _twelve_weeks() -> dict[str, bytes]:
    now, s3 = datetime.now(UTC), S3InMemory()
    s3.put(summary.REGISTRY, summary.registry())
    for table in (ORDERS, FACTS, RATES, EVENTS):
        s3.put(summary.key(table), months(table, now))
    s3.put(*result(ORDERS, now - timedelta(minutes=30)))
    return s3.objects


def lake() -> S3InMemory:
    """Twelve weeks of a healthy lake with some bad days: silver.orders was last judged well half an hour ago."""
    s3 = S3InMemory()
    s3.objects = dict(_twelve_weeks())
    return s3


def months(table: str, now: datetime, *newest: tuple[str, Any]) -> dict[str, Any]:
    """The summary of a table after months of one validation a day; the newest results are added to them."""
    results, records = [], []
    for back in range(100, -1, -1):
        at = now - timedelta(days=back, minutes=30)
        bad = (metal(at),) if back in (9, 30, 31) else (doubled(at, "O-1"),) if back == 45 and table == ORDERS else ()
        if 60 <= back < 64:
            continue  # days without a run
        results.append(result(table, at, *bad))
        many = 400 + 7 * (back % 13)
        kept = 30 if back == 30 else back % 5
        counts = {"read": many, "written": many - kept, "quarantined": kept}
        if table == EVENTS:
            counts = {"read": many, "written": many - 2, "dead_lettered": 2}
        records.append(record(table, at, 141 - back, **counts))
    gated = [] if table == EVENTS else [*results, *newest]
    return summed(table, gated, records, now.date(), kept_out=12 if table.startswith("silver") else None)
