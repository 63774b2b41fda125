"""Bulk 2.0 query jobs. A job's result holds the records as they were at its creation.

Its CSV is as Salesforce writes it: all values are quoted, an empty value is null, times end in `Z` (REST's end in
`+0000`).
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.fields import ENTITY, Field
from infra.local.sources.salesforce.org import FAULTS, Org
from infra.local.sources.salesforce.rest import DATA

DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
LARGEST_PAGE = 50_000
FINISHED = ("JobComplete", "Failed", "Aborted")


@dataclass(frozen=True)
class Job:
    """A query job and its whole result.

    Attributes:
        polls_left: how many more times it answers InProgress.
        error: why it will fail; None if it will succeed.
    """

    id: str
    operation: str
    query: str
    delimiter: str
    line_end: str
    version: str
    fields: tuple[Field, ...]
    records: tuple[dict[str, object], ...]
    state: str
    polls_left: int
    error: str | None

    def polled(self) -> Job:
        """The job after one more request for its state."""
        if self.state in FINISHED:
            return self
        if self.polls_left:
            return replace(self, state="InProgress", polls_left=self.polls_left - 1)
        return replace(self, state="Failed" if self.error else "JobComplete")

    def document(self) -> dict[str, object]:
        shown: dict[str, object] = {
            "id": self.id,
            "operation": self.operation,
            "object": ENTITY,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "columnDelimiter": self.delimiter,
            "lineEnding": self.line_end,
        }
        if self.state == "JobComplete":
            shown["numberRecordsProcessed"] = len(self.records)
        if self.state == "Failed":
            shown["errorMessage"] = self.error
        return shown

    def csv(self, records: Sequence[dict[str, object]]) -> str:
        """Header and records."""
        buffer = io.StringIO()
        writer = csv.writer(
            buffer,
            delimiter=DELIMITERS[self.delimiter],
            lineterminator=LINE_ENDS[self.line_end],
            quoting=csv.QUOTE_ALL,
        )
        writer.writerow(field.name for field in self.fields)
        for record in records:
            writer.writerow(_cell(field, record[field.name]) for field in self.fields)
        return buffer.getvalue()


def _cell(field: Field, value: object) -> str:
    if value is None:
        return ""
    if field.type == "boolean":
        return "true" if value else "false"
    return str(value).replace("+0000", "Z") if field.type == "datetime" else str(value)


def _locator(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str) -> int:
    try:
        return int(base64.b64decode(locator + "=" * (-len(locator) % 4)).decode("ascii"))
    except ValueError as error:
        raise ApiError("INVALID_LOCATOR", f"invalid locator {locator}") from error


def routes(org: Org) -> list[Route]:
    """The routes of query jobs. `app` has checked the calls before."""
    jobs: dict[str, Job] = {}

    def find(request: Request) -> Job:
        job = jobs.get(request.path_params["job"])
        if job is None:
            raise ApiError("NOT_FOUND", "The requested resource does not exist", 404)
        return job

    async def create(request: Request) -> Response:
        asked = await request.json()
        operation, soql = asked.get("operation"), str(asked.get("query", ""))
        delimiter, line_end = asked.get("columnDelimiter", "COMMA"), asked.get("lineEnding", "LF")
        if operation not in ("query", "queryAll") or delimiter not in DELIMITERS or line_end not in LINE_ENDS:
            raise ApiError("INVALIDJOB", "operation, columnDelimiter or lineEnding is not valid for a query")
        org.queries.append(soql)
        fields, records = org.store.query(soql, include_deleted=operation == "queryAll")
        if not fields:
            raise ApiError("API_ERROR", "Aggregate Relationships not supported in Bulk Query")
        failure = FAULTS["bulk_failure"].message if org.faults.take(request.url.path, {"bulk_failure"}) else None
        job = Job(
            id=f"750{len(jobs) + 1:012d}AAA",
            operation=operation,
            query=soql,
            delimiter=delimiter,
            line_end=line_end,
            version=request.path_params["version"],
            fields=fields,
            records=tuple(records),
            state="UploadComplete",
            polls_left=org.settings.bulk_polls,
            error=failure,
        )
        jobs[job.id] = job
        return JSONResponse(job.document())

    async def show(request: Request) -> Response:
        job = find(request).polled()
        jobs[job.id] = job
        return JSONResponse(job.document())

    async def abort(request: Request) -> Response:
        job = find(request)
        if (await request.json()).get("state") != "Aborted" or job.state in FINISHED:
            raise ApiError(
                "INVALIDJOBSTATE", f"state can only be set to Aborted, before the job's end; it is {job.state}"
            )
        jobs[job.id] = replace(job, state="Aborted")
        return JSONResponse(jobs[job.id].document())

    async def delete(request: Request) -> Response:
        del jobs[find(request).id]
        return Response(status_code=204)

    async def results(request: Request) -> Response:
        job = find(request)
        if job.state != "JobComplete":
            raise ApiError("INVALIDJOBSTATE", f"there are results at JobComplete; the job is {job.state}")
        start = _offset(request.query_params["locator"]) if "locator" in request.query_params else 0
        asked = request.query_params.get("maxRecords", str(LARGEST_PAGE))
        if not asked.isdecimal() or int(asked) < 1:
            raise ApiError("INVALIDPARAMETER", f"maxRecords must be a number from 1, not {asked}")
        size = min(int(asked), LARGEST_PAGE)
        records = job.records[start : start + size]
        end = start + len(records)
        locator = _locator(end) if end < len(job.records) else "null"
        headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(records))}
        return Response(job.csv(records), media_type="text/csv", headers=headers)

    base = f"{DATA}/jobs/query"
    return [
        Route(base, create, methods=["POST"]),
        Route(f"{base}/{{job}}", show, methods=["GET"]),
        Route(f"{base}/{{job}}", abort, methods=["PATCH"]),
        Route(f"{base}/{{job}}", delete, methods=["DELETE"]),
        Route(f"{base}/{{job}}/results", results, methods=["GET"]),
    ]
