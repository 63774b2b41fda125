"""The figures of a daily report, out of what the lake recorded: pure functions from records to plain values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from jobs.lake.registry import Table

COUNTED = (
    "read", "written", "unchanged", "superseded", "quarantined", "dead_lettered", "deleted", "bytes_written",
)  # fmt: skip

Record = Mapping[str, Any]
Row = dict[str, Any]


def volumes(records: Iterable[Record], listed: Iterable[Table]) -> list[Row]:
    """What went into each table of the registry, in its order; 0 for one that nobody wrote.

    `rows` is the table's size after the newest commit that tells it; None when none does.
    """
    found: dict[str, Row] = {
        table.name: {"table": table.name, "commits": 0, **dict.fromkeys(COUNTED, 0), "rows": None} for table in listed
    }
    for record in records:
        if row := found.get(record["table_name"]):
            row["commits"] += record.get("commits") or 1
            for name in COUNTED:
                row[name] += record.get(name) or 0
            if record.get("table_rows") is not None:
                row["rows"] = record["table_rows"]
    return list(found.values())


def freshness(newest: Mapping[str, datetime | None], at: datetime) -> list[Row]:
    """How long ago each table was committed to; None for a table that does not exist."""
    return [
        {
            "table": name,
            "committed_at": moment.isoformat() if moment else None,
            "age_hours": round((at - moment).total_seconds() / 3600, 2) if moment else None,
        }
        for name, moment in newest.items()
    ]


def quality(results: Iterable[Record]) -> list[Row]:
    """Each table's validations, and its rules that failed in any of them with how often. No value of data."""
    found: dict[str, Row] = {}
    failed: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for result in results:
        table = result["table_name"]
        row = found.setdefault(table, {"table": table, "validations": 0, "refused": 0, "evaluated": 0, "success": True})
        row["validations"] += 1
        row["refused"] += not result["success"]
        row["evaluated"], row["success"] = result["evaluated"], result["success"]  # of the newest
        failed[table].update((one["rule"], one["severity"]) for one in result["results"] if not one["success"])
    for table, row in found.items():
        row["failed"] = [
            {"rule": rule, "severity": severity, "times": times}
            for (rule, severity), times in sorted(failed[table].items())
        ]
    return [found[table] for table in sorted(found)]


def kept_out(quarantined: Mapping[str, Mapping[str, int]]) -> list[Row]:
    """Rows in quarantine by table and rule, the most first."""
    rows = [
        {"table": table, "reason": rule, "rows": number}
        for table, rules in quarantined.items()
        for rule, number in rules.items()
    ]
    return sorted(rows, key=lambda row: (-row["rows"], row["table"], row["reason"]))


def dead_letters(records: Iterable[Record]) -> list[Row]:
    """Dead-lettered messages by table and reason, the most first."""
    found: Counter[tuple[str, str]] = Counter()
    for record in records:
        for reason, number in (record.get("reasons") or {}).items():
            found[record["table_name"], reason] += number
    rows = [{"table": table, "reason": reason, "rows": number} for (table, reason), number in found.items()]
    return sorted(rows, key=lambda row: (-row["rows"], row["table"], row["reason"]))


def times(records: Iterable[Record]) -> Row:
    """How long steps and runs took: seconds to the commit; of a run, the sum of its steps. Medians of the day.

    Streams and steps that a person started are left out.
    """
    steps: dict[str, list[float]] = defaultdict(list)
    runs: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for record in records:
        if record.get("seconds") is None or "commits" in record or record["dag_id"] in ("", "by_hand"):
            continue
        steps[record["step"]].append(record["seconds"])
        runs[record["dag_id"]][record["run_id"]] += record["seconds"]
    return {
        "steps": {name: {"runs": len(found), "seconds": round(median(found), 1)} for name, found in steps.items()},
        "dags": {
            name: {"runs": len(found), "seconds": round(median(found.values()), 1)} for name, found in runs.items()
        },
    }


def compared(today: Row, before: Sequence[tuple[str, Row | None]]) -> Row:
    """Today's times beside those of the days before.

    Args:
        today: `times`.
        before: date and `times` of each day before, oldest first; None for a day that nobody knows of.
    """

    def past(kind: str, name: str) -> list[float | None]:
        return [((day or {}).get(kind, {}).get(name) or {}).get("seconds") for _, day in before]

    found: Row = {}
    for kind in ("dags", "steps"):
        found[kind] = []
        for name, now in sorted(today[kind].items()):
            known = [seconds for seconds in past(kind, name) if seconds is not None]
            usual = round(median(known), 1) if known else None
            history = [
                {"date": date, "seconds": seconds} for (date, _), seconds in zip(before, past(kind, name), strict=True)
            ]
            found[kind].append({"name": name, **now, "usual": usual, "history": history})
    return found
