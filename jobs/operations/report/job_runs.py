"""What the job runs of a span of time used: vCPU- and GB-hours, as EMR Serverless bills them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError
from jobs.operations.report.records import Span

Used = dict[str, Any]
BY_HAND = "by hand"


def used(span: Span) -> list[Used] | None:
    """Job runs and hours by DAG; None when EMR Serverless can't be asked.

    A job run that lasts longer than the span, as a stream's does, counts with its share of the span.
    """
    try:
        emr, application = boto3.client("emr-serverless"), settings.emr_application_id()
        found = _listed(emr, application, span)
        described = [emr.get_job_run(applicationId=application, jobRunId=one["id"])["jobRun"] for one in found]
    except (BotoCoreError, ClientError, ConfigurationError) as error:
        print(f"job runs can't be asked for: {type(error).__name__}", flush=True)
        return None
    return summed(described, span)


def _listed(emr: Any, application: str, span: Span) -> list[Mapping[str, Any]]:
    """The job runs that may have run in the span: those that began in it, and those that still run."""
    pages = emr.get_paginator("list_job_runs")
    begun = pages.paginate(applicationId=application, createdAtAfter=span.start, createdAtBefore=span.end)
    live = pages.paginate(applicationId=application, createdAtBefore=span.start, states=["RUNNING"])
    return [run for answer in (begun, live) for page in answer for run in page["jobRuns"]]


def summed(runs: list[Mapping[str, Any]], span: Span) -> list[Used]:
    """Job runs as EMR Serverless describes them, by DAG, the most expensive first."""
    found: dict[str, Used] = {}
    for run in runs:
        name = str(run.get("name") or "")
        dag = name.partition("/")[0] if "/" in name else BY_HAND
        hours = run.get("billedResourceUtilization") or run.get("totalResourceUtilization") or {}
        share = _share(run, span)
        one = found.setdefault(dag, {"dag_id": dag, "job_runs": 0, "failed": 0, "vcpu_hours": 0.0, "gb_hours": 0.0})
        one["job_runs"] += 1
        one["failed"] += run["state"] == "FAILED"
        one["vcpu_hours"] += share * float(hours.get("vCPUHour") or 0)
        one["gb_hours"] += share * float(hours.get("memoryGBHour") or 0)
    for one in found.values():
        one["vcpu_hours"], one["gb_hours"] = round(one["vcpu_hours"], 3), round(one["gb_hours"], 3)
    return sorted(found.values(), key=lambda one: (-one["vcpu_hours"], one["dag_id"]))


def _share(run: Mapping[str, Any], span: Span) -> float:
    """The part of a job run's time that lies in the span."""
    began: datetime | None = run.get("startedAt")
    if began is None:
        return 1.0
    ended = run.get("endedAt") or (run["updatedAt"] if run["state"] in ("SUCCESS", "FAILED", "CANCELLED") else span.end)
    whole = (ended - began).total_seconds()
    inside = (min(ended, span.end) - max(began, span.start)).total_seconds()
    return min(1.0, max(0.0, inside) / whole) if whole > 0 else 1.0
