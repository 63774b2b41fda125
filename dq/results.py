"""Result files of the gates, one per table and validation.

Their names are `gold/quality/day=<YYYY-MM-DD>/<table>/<YYYYMMDD_HHMMSS>.json`, UTC.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dq.suite import Suite
from dq.validate import Judgement
from jobs.lake import settings
from jobs.lake.run import Run
from jobs.lake.state import day_folders, objects


def write(run: Run, suite: Suite, judgements: Sequence[Judgement], version: int | None) -> str:
    """Writes one table's result; returns the object's URI.

    Args:
        run: whose gate it was.
        suite: the rules that were judged.
        judgements: their outcomes.
        version: version that was judged; None for rows that are not committed yet.
    """
    _, _, short = suite.table.partition(".")
    while True:
        now = datetime.now(UTC)
        key = f"gold/quality/{day_folders.of(now)}/{short}/{now:%Y%m%d_%H%M%S}.json"
        if objects.write_json_if(key, _record(run, suite, judgements, version, now), etag=None) is not None:
            return f"s3://{settings.lake().bucket}/{key}"
        time.sleep(0.2)  # another validation of the table ended within this second


def _record(
    run: Run, suite: Suite, judgements: Sequence[Judgement], version: int | None, now: datetime
) -> dict[str, Any]:
    return {
        "table_name": suite.table,
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "step": run.step,
        "job": run.job,
        "version": version,
        "suite": suite.digest,
        "validated_at": now,
        "success": not any(judgement.critical for judgement in judgements),
        "evaluated": len(judgements),
        "failed": sum(not judgement.success for judgement in judgements),
        "results": [judgement.record() for judgement in judgements],
    }


def summary(table: str, judgements: Sequence[Judgement]) -> list[str]:
    """Lines for the task log: one for the table, and one for each rule that doesn't hold."""
    failed = [judgement for judgement in judgements if not judgement.success]
    lines = [f"{table}: {len(judgements) - len(failed)} of {len(judgements)} expectations hold"]
    for judgement in failed:
        detail = judgement.error or ", ".join(f"{key} {value}" for key, value in judgement.observed.items())
        why = f" ({judgement.rule.why})" if judgement.rule.why else ""
        lines.append(f"  {judgement.rule.severity}: {judgement.rule.name}: {detail}{why}")
    return lines


def refused(table: str, judgements: Sequence[Judgement]) -> str:
    """Which rules close the gate, by their names alone: an alert may repeat it."""
    names = [f"{one.rule.name}{' (could not be judged)' if one.error else ''}" for one in judgements if one.critical]
    return f"{table}: {', '.join(names)}"
