"""The quality page: an overview of all tables, and a page for each. `plugins/quality_plugin.py` mounts it.

It only reads, and shows what the lake's own results and ledger say. Pages are whole documents made on the server; the
one script only makes them follow Airflow's theme and open Airflow's pages in its window.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.staticfiles import StaticFiles

from quality_page import lake, login, words
from quality_page.figures import EMPTY, TablePage
from quality_page.lake import Lake, LakeAwayError

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PAGES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
PAGES.filters |= {
    "number": words.number, "per_cent": words.per_cent, "time": words.time, "breakable": words.breakable,
}  # fmt: skip

app = FastAPI(title="Data quality", docs_url=None, redoc_url=None, openapi_url=None)
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
Source = Annotated[Lake, Depends(lake.of_environment)]
Enter = [Depends(login.allowed)]


@app.middleware("http")
async def with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Adds what tells a browser to load nothing from elsewhere and to keep nothing."""
    answer = await call_next(request)
    for name, value in HEADERS.items():
        answer.headers[name] = value
    if request.scope["path"].startswith(f"{request.scope.get('root_path', '')}/static/"):
        answer.headers["Cache-Control"] = "max-age=300"
    return answer


@app.exception_handler(StarletteHTTPException)
def refused(request: Request, error: StarletteHTTPException) -> Response:
    """Sends a browser without a user to the log-in; says everything else."""
    if not login.wants_html(request):
        return _json({"detail": error.detail}, error.status_code)
    if error.status_code == 401:
        return login.to_log_in(request)
    title = {403: "Not allowed", 404: "Not found"}.get(error.status_code, "That did not work")
    return _page(request, "message.html", error.status_code, title=title, text=str(error.detail))


@app.exception_handler(LakeAwayError)
def lake_is_away(request: Request, error: LakeAwayError) -> Response:
    """Says that the lake can't be read, and why."""
    if not login.wants_html(request):
        return _json({"detail": f"the lake can't be read: {error}"}, 503)
    return _page(request, "message.html", 503, title="The lake can't be read", text=str(error))


@app.get("/", dependencies=Enter)
def overview(request: Request, source: Source, dag: str = "", show: str = "") -> Response:
    """All tables by pipeline, those of one DAG's pipeline with `dag`, those that need a look with `show=attention`."""
    known, now = source.summaries(), datetime.now(UTC)
    pipelines = [
        {
            "facts": facts,
            "tables": [TablePage(entry, known.get(entry["name"], EMPTY), now) for entry in facts["tables"]],
        }
        for facts in known.get("registry", {"pipelines": []})["pipelines"]
        if dag in ("", *facts["dags"])
    ]
    every = [table for pipeline in pipelines for table in pipeline["tables"]]
    wanting = [table for table in every if table.attention]
    if show == "attention":
        for pipeline in pipelines:
            pipeline["tables"] = [table for table in pipeline["tables"] if table.attention]
    return _page(
        request, "overview.html", pipelines=pipelines, every=every, wanting=wanting, now=now, dag=dag, show=show
    )


@app.get("/tables/{name}", dependencies=Enter)
def table(request: Request, source: Source, name: str) -> Response:
    """One table."""
    page = _table(source, name)
    return _page(request, "table.html", table=page, now=page.now)


@app.get("/tables/{name}/summary.json", dependencies=Enter)
def summary(source: Source, name: str) -> Response:
    """What the table's page is made of."""
    return _json(_table(source, name).summary)


@app.get("/results/{day}/{short}/{file}", dependencies=Enter)
def result(request: Request, source: Source, day: str, short: str, file: str) -> Response:
    """One validation's result as the gate wrote it: a page for a browser, JSON for a program."""
    key = f"gold/quality/{day}/{short}/{file}"
    found = source.result(key)
    if found is None:
        raise HTTPException(404, f"{key} is not there. Results that are over a week old are in ops.dq_results.")
    if not login.wants_html(request):
        return _json(found)
    return _page(request, "result.html", key=key, result=found, text=json.dumps(found, indent=2, ensure_ascii=False))


def _table(source: Lake, name: str) -> TablePage:
    known = source.summaries([name, "registry"])
    for pipeline in known.get("registry", {"pipelines": []})["pipelines"]:
        for entry in pipeline["tables"]:
            if entry["name"] == name:
                return TablePage(entry, known.get(name, EMPTY), datetime.now(UTC))
    raise HTTPException(404, f"The registry has no table {name}.")


def _page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; `airflow` and `here` lead from its address to Airflow's root and to the overview."""
    airflow = login.up(request)
    common = {"airflow": airflow, "here": airflow[3:], "age": words.age}
    return HTMLResponse(PAGES.get_template(template).render(**common, **values), status)


def _json(value: Mapping[str, Any] | Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, media_type="application/json")
