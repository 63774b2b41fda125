"""Whether the owner of a lease lives, and how a person breaks the lease of an owner of whom nobody can say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import uuid4

import boto3

from jobs.lake import settings
from jobs.lake.errors import TableBusyError
from jobs.lake.run import Run, utc
from jobs.lake.state import objects

FOLDER = "_locks/"
STALE = timedelta(seconds=60)
LIVE = ["SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING"]


class Standing(Enum):
    """What is known of a lease's owner."""

    GONE = "it gave the lease back, or it is silent and its job run has ended: the next writer takes the table"
    LIVE = "its heartbeat is fresh, or its job run is live: only the owner can give the table back"
    UNKNOWN = "it is silent and has no job run: only a person can know whether it still writes"


def standing(body: dict[str, Any]) -> Standing:
    """What is known of the owner. It asks EMR Serverless only about a silent owner's job run.

    Args:
        body: content of the lease's object.
    """
    if not body["held"]:
        return Standing.GONE
    if datetime.now(UTC) - utc(body["heartbeat_at"]) < STALE:
        return Standing.LIVE
    if not body["job"]:
        return Standing.UNKNOWN
    return Standing.LIVE if _is_live(body["job"]) else Standing.GONE


def named(body: dict[str, Any]) -> str:
    """The owner, for a message."""
    run = f"{body.get('dag_id', '')} {body['run_id']}".strip()
    job = f"job run {body['job']}" if body["job"] else "no job run"
    return f"{body['step']} of run {run} ({job})"


def break_lease(run: Run, table: str, body: dict[str, Any], etag: str) -> int:
    """Takes the lease away from its owner, and returns the fencing number that this uses up.

    The object keeps who broke it, when and why, and whose it was, also under later owners. The former owner can't
    renew the lease any more, so that it commits nothing more.

    Args:
        run: of the person.
        table: its name.
        body: content of the lease's object.
        etag: of the object with this content.

    Raises:
        TableBusyError: the owner lives, or the lease changed hands meanwhile; nothing was changed.
    """
    if standing(body) is Standing.LIVE:
        raise TableBusyError(
            f"{table} is being written by {named(body)}, whose last heartbeat was at {body['heartbeat_at']}. Its lease "
            "was not broken. Wait until it ends, or cancel it."
        )
    former = {name: body.get(name) for name in ("dag_id", "run_id", "step", "job", "heartbeat_at", "fencing")}
    broken = {"dag_id": run.dag_id, "run_id": run.run_id, "job": run.job, "at": datetime.now(UTC), "of": former}
    broken |= {"who": run.who, "why": run.why} if run.who or run.why else {}
    number = int(body["fencing"]) + 1
    free = {**body, "held": False, "owner": uuid4().hex, "fencing": number, "broken": broken}
    if objects.write_json_if(key(table), free, etag=etag) is None:
        raise TableBusyError(
            f"{table}: its lease was renewed or taken a moment ago, so that its owner lives. It was not broken."
        )
    return number


def key(table: str) -> str:
    """Object key of a table's lease."""
    return f"{FOLDER}{table}.json"


def _is_live(job: str) -> bool:
    application = settings.emr_application_id()
    pages = boto3.client("emr-serverless").get_paginator("list_job_runs")
    return any(
        entry.get("name") == job
        for page in pages.paginate(applicationId=application, states=LIVE)
        for entry in page["jobRuns"]
    )
