"""The part of Airflow's REST API by which a deployment tries a release; on MWAA it is asked through AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from infra import pools
from infra.deploy.errors import DeployError

# Answers of an Airflow that is being replaced: it is asked again until a deadline.
AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
# So does AWS when it is in trouble, or asked too often.
AWS_AWAY = ("InternalServerException", "RestApiServerException", "ThrottlingException", "TooManyRequestsException")
# No answer: what was asked may have been done, or not.
SILENCE = (ConnectionError, HTTPClientError)


class AirflowAwayError(Exception):
    """Airflow does not answer now."""


@dataclass(frozen=True)
class Airflow:
    """One MWAA environment.

    Attributes:
        mwaa: boto3 client. Its role needs `airflow:InvokeRestApi` on `role/<environment>/Op`.
        environment: its name.
    """

    mwaa: Any
    environment: str

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """A DAG as Airflow knows it; None when it does not."""
        return self._ask("GET", f"/dags/{quote(dag_id)}")

    def import_errors(self) -> list[str]:
        """Files that can't be parsed, each with the last line of its traceback."""
        found = self._must("GET", "/importErrors", query={"limit": 100})["import_errors"]
        return [f"{entry['filename']}: {_last_line(entry['stack_trace'])}" for entry in found]

    def plugin_errors(self) -> list[str]:
        """Plugins that can't be loaded, as the web server sees it."""
        found = self._must("GET", "/plugins/importErrors")["import_errors"]
        return [f"{entry['source']}: {_last_line(entry['error'])}" for entry in found]

    def start(self, dag_id: str, run_id: str) -> None:
        """Starts a run by hand, with this id."""
        self._must("POST", f"/dags/{quote(dag_id)}/dagRuns", body={"dag_run_id": run_id, "logical_date": None})

    def unpause(self, dag_id: str) -> None:
        """Lets a DAG run."""
        self._must("PATCH", f"/dags/{quote(dag_id)}", body={"is_paused": False})

    def set_pools(self) -> int:
        """Makes every pool, or sets it right; gives their number.

        Raises:
            PoolsRefusedError: Airflow takes one not.
        """
        wanted = pools.pools()
        pools.check(self._must("PATCH", "/pools", body=pools.request(wanted)))
        return len(wanted)

    def has_run(self, dag_id: str, run_id: str) -> bool:
        """Whether there is a run with this id."""
        return self._ask("GET", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}") is not None

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of a run: queued, running, success, failed."""
        return str(self._must("GET", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}")["state"])

    def failed_tasks(self, dag_id: str, run_id: str) -> list[tuple[str, int]]:
        """The failed tasks of a run, each with the number of its last try."""
        found = self._must("GET", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances")["task_instances"]
        return [(task["task_id"], task["try_number"]) for task in found if task["state"] == "failed"]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int) -> list[str]:
        """Lines of a task's log that are errors, with the exceptions that they hold."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances/{quote(task_id)}/logs/{attempt}"
        events = self._must("GET", path, query={"full_content": True})["content"]
        lines = []
        for event in events:
            if isinstance(event, dict) and event.get("level") in ("error", "critical"):
                lines.append(str(event.get("event", "")))
                lines += [f"{one['exc_type']}: {one['exc_value']}" for one in event.get("error_detail") or []]
        return lines

    def _must(self, method: str, path: str, **more: Mapping[str, Any]) -> dict[str, Any]:
        found = self._ask(method, path, **more)
        if found is None:
            raise DeployError(f"Airflow of {self.environment} knows no {path}")
        return found

    def _ask(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """The answer; None for 404.

        Raises:
            AirflowAwayError: Airflow, or its web server, does not answer now.
            DeployError: it refuses.
        """
        asked: dict[str, Any] = {"Name": self.environment, "Path": path, "Method": method}
        asked |= {name: dict(value) for name, value in (("QueryParameters", query), ("Body", body)) if value}
        try:
            document: dict[str, Any] = self.mwaa.invoke_rest_api(**asked)["RestApiResponse"]
        except ClientError as error:
            status = error.response.get("RestApiStatusCode")
            said = str(error.response.get("RestApiResponse") or error)[:500]
            if status == HTTPStatus.NOT_FOUND:
                return None
            if status in AWAY or passes(error):
                raise AirflowAwayError(said) from error
            raise DeployError(f"Airflow of {self.environment} refused {method} {path}: {said}") from error
        except SILENCE as error:
            raise AirflowAwayError(str(error)) from error
        return document


def passes(error: Exception) -> bool:
    """Whether an error of AWS, or of the way to it, goes by itself."""
    return isinstance(error, SILENCE) or (
        isinstance(error, ClientError) and error.response["Error"]["Code"] in AWS_AWAY
    )


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
