"""A table's quality over twelve weeks, rolled up from results of gates and records of the ledger.

It is `ops/quality/<table>.json`, one small object for each table, so that whoever shows quality reads as many objects
as there are tables, however many validations a year has. It needs the standard library and the registry alone.

    {"format": 1, "table": "silver.orders", "looked": "2026-11-29",
     "validated": {key, validated_at, dag_id, run_id, step, job, version, success, evaluated, failed, results},
     "recent": [the newest 20 validations, without their results],
     "committed": {output_version, committed_at, dag_id, run_id, step, table_rows, window_end, commits, read, …},
     "kept_out": rows in quarantine now,
     "days": {"2026-11-29": {"results": {"n", "last", "validations", "refused", "rules": {"critical id be_unique":
              [times held, times failed]}}, "ledger": {"n", "last", "read", "written", "quarantined", …}}},
     "weeks": {"2026-11-23": {validations, refused, judged, failed, read, quarantined, dead_lettered}}}

`n` and `last` say which objects of the day are in it: the first `n` by name, the last of them `last`. All else is a
function of these objects, so that the same objects give the same summary, in one go or in many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from dq import trend
from jobs.lake import tables

FORMAT = 1
DAYS = 7 * trend.WEEKS
RECENT = 20
FOLDER = "ops/quality/"
REGISTRY = f"{FOLDER}registry.json"  # the pipelines and their tables, for readers that can't import the registry
COUNTS = ("read", "written", "unchanged", "superseded", "quarantined", "dead_lettered", "deleted", "reinstated")
_VALIDATION = ("validated_at", "dag_id", "run_id", "step", "job", "version", "success", "evaluated", "failed")
_COMMIT = ("output_version", "committed_at", "dag_id", "run_id", "step", "table_rows", "window_end", "commits", *COUNTS)

# Of a rule's outcome in the newest validation; what results of earlier releases lack.
_JUDGED: Mapping[str, Any] = {
    "rule": "", "expectation": "", "severity": "", "success": False, "observed": {}, "error": None, "why": "",
    "examples": [],
}  # fmt: skip

Summary = dict[str, Any]
Named = tuple[str, Mapping[str, Any]]  # an object's key and its content


def key(table: str) -> str:
    """Where a table's summary is."""
    return f"{FOLDER}{table}.json"


def registry() -> dict[str, Any]:
    """All pipelines and tables in registry order, as `REGISTRY` has them."""
    return {
        "pipelines": [
            {
                "name": pipeline.name,
                "description": pipeline.description,
                "dags": [each.dag_id for each in (pipeline.schedule, pipeline.streams, pipeline.refresh) if each],
                "tables": [
                    {
                        "name": table.name,
                        "layer": table.layer,
                        "description": table.description,
                        "owner": table.owner,
                        "messages": table.continuous and table.written_with is None,
                        "judged": table.layer == "gold" or table in pipeline.gated,
                    }
                    for table in pipeline.tables
                ],
            }
            for pipeline in tables.PIPELINES
        ]
    }


def empty(table: str) -> Summary:
    """The summary of a table of which nothing is known."""
    return {
        "format": FORMAT, "table": table, "looked": "", "validated": None, "recent": [], "committed": None,
        "kept_out": None, "days": {}, "weeks": {},
    }  # fmt: skip


def day_of(summary: Mapping[str, Any], day: str, kind: str) -> dict[str, Any]:
    """What is known of a day: at least `n` and `last`.

    Args:
        summary: of the table.
        day: `YYYY-MM-DD`.
        kind: `results` or `ledger`.
    """
    found: dict[str, Any] = summary["days"].get(day, {}).get(kind, {"n": 0, "last": ""})
    return found


def add_results(summary: Summary, day: str, found: Iterable[Named], *, again: bool = False) -> None:
    """Counts results of a day, in the order of their names. `again` counts the day from its beginning."""
    counted = _counted(summary, day, "results", again, {"validations": 0, "refused": 0, "rules": {}})
    for name, result in found:
        counted["n"], counted["last"] = counted["n"] + 1, name
        if result["table_name"] != summary["table"]:
            continue  # tables of two layers may share a folder
        counted["validations"] += 1
        counted["refused"] += not result["success"]
        for judged in result["results"]:
            outcomes = counted["rules"].setdefault(f"{judged['severity']} {judged['rule']}", [0, 0])
            outcomes[0 if judged["success"] else 1] += 1
        _remember(summary, name, result)


def add_records(summary: Summary, day: str, found: Iterable[Named], *, again: bool = False) -> None:
    """Counts records of the ledger, as `add_results` does."""
    counted = _counted(summary, day, "ledger", again, dict.fromkeys(COUNTS, 0))
    for name, record in found:
        counted["n"], counted["last"] = counted["n"] + 1, name
        for count in COUNTS:
            counted[count] += record.get(count) or 0
        newest = summary["committed"]
        if newest is None or _made(record) > _made(newest):
            summary["committed"] = {field: record.get(field, 0 if field in COUNTS else None) for field in _COMMIT}


def finish(summary: Summary, today: date) -> None:
    """Drops days that are over twelve weeks old, and sums up the weeks."""
    oldest = (today - timedelta(days=DAYS - 1)).isoformat()
    summary["days"] = {day: kinds for day, kinds in sorted(summary["days"].items()) if day >= oldest}
    weeks = trend.weeks(summary["days"])
    summary["weeks"] = {monday.isoformat(): asdict(week) for monday, week in weeks.items()}
    summary["looked"] = today.isoformat()


def _counted(summary: Summary, day: str, kind: str, again: bool, none: dict[str, Any]) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = summary["days"].setdefault(day, {})
    if again or kind not in kinds:
        kinds[kind] = {"n": 0, "last": "", **none}
    return kinds[kind]


def _remember(summary: Summary, name: str, result: Mapping[str, Any]) -> None:
    line = {"key": name, **{field: result.get(field) for field in _VALIDATION}}
    known = {each["key"]: each for each in [*summary["recent"], line]}
    summary["recent"] = sorted(known.values(), key=_validated, reverse=True)[:RECENT]
    newest = summary["validated"]
    if newest is None or _validated(line) >= _validated(newest):
        judged = [{name: each.get(name, none) for name, none in _JUDGED.items()} for each in result["results"]]
        summary["validated"] = {**line, "results": judged}


def _validated(line: Mapping[str, Any]) -> tuple[str, str]:
    return str(line["validated_at"]), str(line["key"])


def _made(record: Mapping[str, Any]) -> tuple[str, int]:
    return str(record["committed_at"]), int(record["output_version"])
