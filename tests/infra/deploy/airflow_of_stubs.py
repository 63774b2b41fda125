"""An MWAA environment that answers what a test wants of it; and an Athena that has one row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError


def rest_error(status: int, said: str) -> ClientError:
    """As boto3 raises what Airflow's REST API answers, through AWS."""
    code = "RestApiServerException" if status >= 500 else "RestApiClientException"
    answer: Any = {"Error": {"Code": code, "Message": said}, "RestApiStatusCode": status, "RestApiResponse": said}
    return ClientError(answer, "InvokeRestApi")


LONGEST_PATH = 64  # of InvokeRestApi, in the model of the service


@dataclass
class StubMwaa:
    """Airflow's REST API behind `invoke_rest_api`.

    Attributes:
        release: of the tree that Airflow has parsed.
        dag_ids: that it has parsed.
        import_errors, plugin_errors: that it tells.
        states: of the canary run, one for each look; the last one stays.
        log: error lines of the failed task.
        away: so many requests are not answered.
        answer_lost: the next start of a run is taken, and its answer is lost.
        stumbles: number of a request, from 0 on -> what is raised; and whether it was taken before.
        asked: requests, as `POST /dags/canary/dagRuns`.
        run_id: of the last canary run.
    """

    release: str = "aaaaaaaaaaaa"
    dag_ids: list[str] = field(default_factory=lambda: ["canary", "daily_lakehouse"])
    import_errors: list[str] = field(default_factory=list)
    plugin_errors: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=lambda: ["queued", "success"])
    log: list[str] = field(default_factory=list)
    away: int = 0
    answer_lost: bool = False
    stumbles: dict[int, tuple[Exception, bool]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    run_id: str = ""

    def invoke_rest_api(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(f"{asked['Method']} {asked['Path']}")
        assert len(asked["Path"]) <= LONGEST_PATH, f"MWAA refuses {asked['Path']}"
        if self.away > 0:
            self.away -= 1
            raise rest_error(503, "Service Unavailable")
        error, taken = self.stumbles.get(len(self.asked) - 1, (None, True))
        answer = self._answer(asked) if taken else {}
        if error:
            raise error
        return {"RestApiStatusCode": 200, "RestApiResponse": answer}

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        method, path = asked["Method"], unquote(asked["Path"])
        _, kind, *rest = path.split("/")
        if kind == "importErrors":
            return {"import_errors": [{"filename": "x.py", "stack_trace": f"Trace\n{e}"} for e in self.import_errors]}
        if kind == "plugins":
            return {"import_errors": [{"source": "p.py", "error": error} for error in self.plugin_errors]}
        if kind == "pools":
            return {"create": {"errors": []}}
        if rest[0] not in self.dag_ids:
            raise rest_error(404, "The Dag was not found")
        if len(rest) == 1 or method == "PATCH":
            return {"tags": [{"name": "operations"}, {"name": f"release:{self.release}"}], "is_stale": False}
        if method == "POST":
            self.run_id = asked["Body"]["dag_run_id"]
            if self.answer_lost:
                self.answer_lost = False
                raise rest_error(504, "Gateway Timeout")
            return {}
        if rest[2] != self.run_id:
            raise rest_error(404, "The DagRun was not found")
        if rest[-1] == "taskInstances":
            return {"task_instances": [{"task_id": "canary", "try_number": 2, "state": "failed"}]}
        if "logs" in rest:
            events = [{"level": "error", "event": line} for line in self.log]
            return {"content": [*events, {"level": "info", "event": "chatter"}]}
        return {"state": self.states.pop(0) if len(self.states) > 1 else self.states[0]}


@dataclass
class StubAthena:
    """Athena with one row of `ops.canary`, which the last canary run of an Airflow wrote."""

    mwaa: StubMwaa
    release: str = ""
    state: str = "SUCCEEDED"
    asked: list[str] = field(default_factory=list)
    calls: int = 0
    stumbles: dict[int, Exception] = field(default_factory=dict)

    def _called(self) -> None:
        self.calls += 1
        if error := self.stumbles.get(self.calls - 1):
            raise error

    def start_query_execution(self, **asked: Any) -> dict[str, str]:
        self.asked += asked["ExecutionParameters"]
        self._called()
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        self._called()
        return {"QueryExecution": {"Status": {"State": self.state, "StateChangeReason": "no such table"}}}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        self._called()
        rows = [{"Data": [{"VarCharValue": "release"}]}]
        if self.asked[-1] == f"'{self.mwaa.run_id}'":
            rows.append({"Data": [{"VarCharValue": self.release or self.mwaa.release}]})
        return {"ResultSet": {"Rows": rows}}
