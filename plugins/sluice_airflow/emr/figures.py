"""What a job run that has ended took: `jobs.lake.state.metrics.METRICS` says what each figure means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_job_run(run: Mapping[str, Any]) -> dict[str, float]:
    """The figures that EMR Serverless gives of a job run; it bills after the end, so that some may be missing."""
    found: dict[str, float] = {}
    if (seconds := run.get("totalExecutionDurationSeconds")) is not None:
        found["JobSeconds"] = float(seconds)
    if (waited := run.get("queuedDurationMilliseconds")) is not None:
        found["QueueSeconds"] = waited / 1000
    elif run.get("startedAt") and run.get("createdAt"):
        found["QueueSeconds"] = max(0.0, (run["startedAt"] - run["createdAt"]).total_seconds())
    used = run.get("billedResourceUtilization") or run.get("totalResourceUtilization") or {}
    for name, field in (("VcpuHours", "vCPUHour"), ("MemoryGbHours", "memoryGBHour")):
        if field in used:
            found[name] = float(used[field])
    return found
