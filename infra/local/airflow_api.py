"""The part of Airflow's REST API that the platform's commands use. In all-admins mode it needs no token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import requests

from infra.local.errors import PlatformError
from infra.pools import PoolsRefusedError, check, request

PAGE = 100
TRIES = 5


@dataclass(frozen=True)
class TaskState:
    """A task instance.

    Attributes:
        ended: ISO 8601; empty before its end.
        seconds: from its first moment on a worker to its last; None before its end.
    """

    task: str
    state: str
    attempt: int
    ended: str
    seconds: float | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> TaskState:
        """From the REST API's document."""
        started, ended = document["start_date"], document["end_date"]
        return cls(
            task=document["task_id"],
            state=document["state"] or "",
            attempt=document["try_number"],
            ended=ended or "",
            seconds=(datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
            if started and ended
            else None,
        )


class AirflowApi:
    """One Airflow."""

    def __init__(self, address: str) -> None:
        self._root = f"{address}/api/v2"
        self._session = requests.Session()

    def dag(self, dag: str) -> dict[str, Any] | None:
        """The DAG as Airflow knows it; None until it is parsed."""
        answer = self._session.get(f"{self._root}/dags/{quote(dag)}", timeout=30)
        if answer.status_code == requests.codes.not_found:
            return None
        return self._document(answer)

    def import_errors(self) -> list[str]:
        """Files that can't be parsed, with their tracebacks."""
        errors = self._get("importErrors")["import_errors"]
        return [f"{error['filename']}:\n{error['stack_trace']}" for error in errors]

    def pause(self, dag: str, paused: bool) -> None:
        """Pauses or unpauses a DAG."""
        self._document(self._session.patch(f"{self._root}/dags/{quote(dag)}", json={"is_paused": paused}, timeout=30))

    def trigger(self, dag: str, parameters: Mapping[str, Any]) -> str:
        """Starts a run by hand; returns its id."""
        asked = {"logical_date": None, "conf": dict(parameters)}
        answer = self._session.post(f"{self._root}/dags/{quote(dag)}/dagRuns", json=asked, timeout=60)
        return str(self._document(answer)["dag_run_id"])

    def ended(self, dag: str, run: str) -> str:
        """The state in which a run has ended; empty before that."""
        state: str = self._get(f"dags/{quote(dag)}/dagRuns/{quote(run)}")["state"]
        return state if state in ("success", "failed") else ""

    def runs(self, dag: str, *, since: date | None = None) -> list[dict[str, Any]]:
        """The first 100 of the DAG's scheduled and backfilled runs, oldest data interval first.

        A backfill that processes a scheduled day again turns that day's run into a backfilled one.
        """
        query: dict[str, Any] = {"logical_date_gte": f"{since}T00:00:00Z"} if since else {}
        kinds = ("scheduled", "backfill")
        found = self._get(f"dags/{quote(dag)}/dagRuns", limit=PAGE, order_by="logical_date", run_type=kinds, **query)
        runs: list[dict[str, Any]] = found["dag_runs"]
        return runs

    def backfill(self, dag: str, first: date, last: date) -> None:
        """Makes the runs that are missing of these days. Runs that are there stay.

        Raises:
            PlatformError: Airflow refuses, as it does while another backfill of the DAG is not complete.
        """
        url = f"{self._root}/backfills"
        days = {"from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
        asked = {"dag_id": dag, **days, "max_active_runs": 1, "reprocess_behavior": "none"}
        for _ in range(TRIES):
            answer = self._session.post(url, json=asked, timeout=60)
            if answer.status_code != requests.codes.server_error:
                break
            # SQLite was locked by the scheduler's writes. What this try has made is left, and would refuse the next.
            # To cancel it makes its runs fail, so that the next try has to take them up.
            asked["reprocess_behavior"] = "failed"
            for left in self._get("backfills", dag_id=dag)["backfills"]:
                if left["completed_at"] is None:
                    self._document(self._session.put(f"{url}/{left['id']}/cancel", timeout=60))
        self._document(answer)

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        """The task instances of a run."""
        found = self._get(f"dags/{quote(dag)}/dagRuns/{quote(run)}/taskInstances", limit=PAGE)
        return [TaskState.of(document) for document in found["task_instances"]]

    def log(self, dag: str, run: str, task: str, attempt: int) -> list[str]:
        """The lines of a task's log."""
        path = f"dags/{quote(dag)}/dagRuns/{quote(run)}/taskInstances/{quote(task)}/logs/{attempt}"
        events = self._get(path, full_content="true")["content"]
        return [line for event in events for line in _lines(event)]

    def clear_failed(self, dag: str, run: str) -> None:
        """Runs a run's failed tasks again, and those that could not run because of them."""
        path = f"{self._root}/dags/{quote(dag)}/dagRuns/{quote(run)}/clear"
        self._document(self._session.post(path, json={"dry_run": False, "only_failed": True}, timeout=60))

    def pools(self) -> dict[str, dict[str, Any]]:
        """Pool name -> its settings and use."""
        return {pool["name"]: pool for pool in self._get("pools", limit=PAGE)["pools"]}

    def set_pools(self, pools: Mapping[str, Mapping[str, Any]]) -> None:
        """Creates these pools, or sets them right. Other pools stay.

        Raises:
            PlatformError: Airflow refuses one. No pool has changed.
        """
        answer = self._session.patch(f"{self._root}/pools", json=request(pools), timeout=60)
        try:
            check(self._document(answer))
        except PoolsRefusedError as error:
            raise PlatformError(str(error)) from error

    def _get(self, path: str, **query: str | int | tuple[str, ...]) -> dict[str, Any]:
        return self._document(self._session.get(f"{self._root}/{path}", params=query, timeout=60))

    @staticmethod
    def _document(answer: requests.Response) -> dict[str, Any]:
        if not answer.ok:
            raise PlatformError(f"Airflow answered {answer.status_code} to {answer.url}: {answer.text[:500]}")
        document: dict[str, Any] = answer.json()
        return document


def _lines(event: dict[str, Any]) -> list[str]:
    """The lines of a log event: its message and its exceptions."""
    message = str(event.get("event", ""))
    if message.startswith("::"):
        return []  # these mark groups that the UI can fold
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in event.get("error_detail") or []]
    return [line for text in (message, *errors) for line in text.splitlines()]
