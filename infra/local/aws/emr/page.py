"""A plain page for one job run, instead of EMR's Spark UI: state, command, last log lines."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from moto.emrserverless import models
from werkzeug.wrappers import Request, Response

from infra.local.aws.emr.job_run import JobRun
from infra.local.aws.emr.logs import STREAMS, tail
from infra.local.aws.emr.service import EmrServerless

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/_emr/job-run"
# The Airflow provider links to the driver's log by putting this path into the dashboard's address.
LOG_PATH = re.compile(r"/logs/SPARK_DRIVER/(stdout|stderr)\.gz")
LINES = 200


class JobPages:
    """WSGI middleware: answers the dashboard's addresses, and passes the rest on to moto."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        log = LOG_PATH.fullmatch(request.path) if "run" in request.args else None
        if request.path != PATH and not log:
            return self._application(environ, start_response)
        run = _find(request.args.get("application", ""), request.args.get("run", ""))
        attempt = request.args.get("attempt", type=int)
        if run is None or attempt is None or not 1 <= attempt <= len(run.attempts):
            response = Response("There is no such job run. A restart of the local AWS forgets all job runs.\n", 404)
        elif log:
            response = Response(_log(run, attempt, log[1]), mimetype="text/plain")
        else:
            response = Response(_page(run, attempt), mimetype="text/html")
        return response(environ, start_response)


def _find(application: str, run_id: str) -> JobRun | None:
    for _, _, backend in models.emrserverless_backends.iter_backends():
        run = cast(EmrServerless, backend).known_run(application, run_id)
        if run is not None:
            return run
    return None


def _log(run: JobRun, attempt: int, stream: str) -> str:
    return "\n".join(tail(EmrServerless.runner.logs(run, attempt) / stream, LINES)) + "\n"


def _page(run: JobRun, number: int) -> str:
    attempt = run.attempts[number - 1]
    command = EmrServerless.runner.folder(run) / "command.txt"
    parts = {
        "State": f"{attempt.state} {attempt.details}",
        "Attempt": f"{number} of {len(run.attempts)}, {attempt.seconds:.0f} s",
        "Command": command.read_text() if command.exists() else "not started",
        **{f"{stream} (last {LINES} lines)": _log(run, number, stream) for stream in reversed(STREAMS)},
    }
    refresh = "" if attempt.ended_at else '<meta http-equiv="refresh" content="5">'
    title = html.escape(f"{run.request.name or 'Job run'} {run.id}")
    body = "".join(f"<h2>{html.escape(head)}</h2><pre>{html.escape(text)}</pre>" for head, text in parts.items())
    style = "body{font-family:sans-serif;margin:2em}pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}"
    return f"<!doctype html><title>{title}</title>{refresh}<style>{style}</style><h1>{title}</h1>{body}"
