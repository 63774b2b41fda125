"""The part of Airflow's REST API with which a task pauses DAGs: in Airflow 3 no task reaches the database.

On MWAA the API is asked through AWS (`InvokeRestApi`), with the worker's own role. Where the environment names an
address instead, the API is asked there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx
from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook
from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError

# What a path answers: method, path, query, body.
Ask = Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
ON_A_WORKER = ("queued", "running")


class NotThere(AirflowException):
    """Airflow knows no such thing."""


@dataclass(frozen=True)
class AirflowApi:
    """One Airflow, through whatever asks it."""

    ask: Ask

    @classmethod
    def at(cls, address: str) -> AirflowApi:
        """The API at an address, without a log-in."""
        return cls(Http(address))

    @classmethod
    def of_mwaa(cls, environment: str, hook: MwaaHook) -> AirflowApi:
        """The API of an MWAA environment."""
        return cls(Mwaa(environment, hook))

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """The DAG as Airflow knows it; None when it does not."""
        try:
            return self.ask("GET", f"/dags/{quote(dag_id)}", {}, {})
        except NotThere:
            return None

    def pause(self, dag_id: str, paused: bool) -> None:
        """Pauses or unpauses a DAG. What runs goes on; nothing new starts while it is paused."""
        self.ask("PATCH", f"/dags/{quote(dag_id)}", {}, {"is_paused": paused})

    def on_workers(self, dag_ids: Iterable[str]) -> list[str]:
        """The tasks of these DAGs that a worker has or is about to get, with their runs."""
        found = []
        for dag_id, state in product(dag_ids, ON_A_WORKER):
            path = f"/dags/{quote(dag_id)}/dagRuns/~/taskInstances"
            for task in self.ask("GET", path, {"state": state}, {})["task_instances"]:
                found.append(f"{dag_id}.{task['task_id']} of {task['dag_run_id']}")
        return found


@dataclass(frozen=True)
class Http:
    """Asks by HTTP."""

    address: str

    def __call__(self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises AirflowException when the answer is an error or none."""
        url = f"{self.address}/api/v2{path}"
        try:
            answer = httpx.request(method, url, params=dict(query), json=dict(body) or None, timeout=30)
        except httpx.HTTPError as error:
            raise AirflowException(f"Airflow does not answer at {url}: {error}") from error
        if not answer.is_success:
            raise _refused(answer.status_code, f"{method} {path}", answer.text)
        document: dict[str, Any] = answer.json()
        return document


@dataclass(frozen=True)
class Mwaa:
    """Asks through AWS. The role needs `airflow:InvokeRestApi`, as a role of Airflow that may change DAGs (Op)."""

    environment: str
    hook: MwaaHook

    def __call__(self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises AirflowException when Airflow's answer is an error, and ClientError when AWS's is."""
        asked: dict[str, Any] = {"Name": self.environment, "Path": path, "Method": method}
        asked |= {name: dict(value) for name, value in (("QueryParameters", query), ("Body", body)) if value}
        try:
            document: dict[str, Any] = self.hook.conn.invoke_rest_api(**asked)["RestApiResponse"]
        except ClientError as error:
            if "RestApiStatusCode" not in error.response:
                raise
            said = str(error.response.get("RestApiResponse", ""))
            raise _refused(error.response["RestApiStatusCode"], f"{method} {path}", said) from error
        return document


def _refused(status: int, asked: str, said: str) -> AirflowException:
    kind = NotThere if status == httpx.codes.NOT_FOUND else AirflowException
    return kind(f"Airflow answered {status} to {asked}: {said[:500]}")
