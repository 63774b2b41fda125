"""Tries the release that an environment runs: all DAGs are there, a canary run is green, Athena reads what it wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.airflow import Airflow, AirflowAwayError, passes
from infra.deploy.errors import DeployError

CANARY = "canary"
PAUSE = 10.0  # seconds between two looks
SEEN_WITHIN = 900.0  # seconds until Airflow has parsed the new tree: MWAA takes it within minutes
RUN_WITHIN = 2_700.0  # of the canary run: a job run may wait for capacity
READ_WITHIN = 300.0  # of the query


@dataclass(frozen=True)
class Trial:
    """Where a release is tried.

    Attributes:
        airflow: of the environment.
        athena: boto3 client.
        workgroup: in which people query.
        say: shows progress.
    """

    airflow: Airflow
    athena: Any
    workgroup: str
    say: Callable[[str], None]

    def await_release(self, release: str, dag_ids: list[str]) -> None:
        """Waits until Airflow has parsed a release.

        Args:
            release: its name.
            dag_ids: of its DAGs.

        Raises:
            DeployError: a file or a plugin can't be loaded, or Airflow has not taken the release in time.
        """
        self._until(lambda: self._seen(release, dag_ids), SEEN_WITHIN, f"Airflow has not taken release {release}")
        self.say(f"Airflow has parsed the {len(dag_ids)} DAGs of release {release}")

    def set_pools(self) -> None:
        """Makes the pools: a task of a missing one would wait for ever.

        Raises:
            DeployError: Airflow does not answer.
            PoolsRefusedError: it takes one not.
        """
        self._until(self._has_pools, SEEN_WITHIN, "the pools can't be set")

    def run_canary(self, release: str) -> None:
        """Starts a canary run and reads what it wrote. Takes some minutes: one small job run.

        Raises:
            DeployError: something does not work; the message says what, in the task's own words.
        """
        # MWAA takes paths of 64 characters at most, and that of a task's log names the run, the task and the try.
        run_id = f"{release[:6]}-{int(time.time()):x}"
        self._until(lambda: self._started(run_id), SEEN_WITHIN, f"canary run {run_id} can't be started")
        self.say(f"canary run {run_id} is started")
        self._until(lambda: self._ended(run_id), RUN_WITHIN, f"canary run {run_id} has not ended")
        found = self._read(run_id)
        if found != [release]:
            raise DeployError(f"ops.canary of run {run_id} says release {found or 'nothing'}, and not {release}")
        self.say("the canary's row was read through Athena, and its notice was sent")

    def _seen(self, release: str, dag_ids: list[str]) -> str:
        """Why Airflow does not run this release yet; empty when it does."""
        canary = self.airflow.dag(CANARY)
        if canary is None:
            return f"there is no DAG {CANARY}; {self._errors() or 'no import errors'}"
        tags = {tag["name"] for tag in canary["tags"]}
        if f"release:{release}" not in tags:
            return f"{CANARY} has the tags {', '.join(sorted(tags))}; {self._errors() or 'no import errors'}"
        missing = [name for name in dag_ids if (dag := self.airflow.dag(name)) is None or dag.get("is_stale")]
        errors = self._errors()
        if missing or errors:
            return f"DAGs are missing: {', '.join(missing) or 'none'}; {errors or 'no import errors'}"
        return ""

    def _errors(self) -> str:
        return "; ".join([*self.airflow.import_errors(), *self.airflow.plugin_errors()])

    def _has_pools(self) -> str:
        self.say(f"{self.airflow.set_pools()} pools are set")
        return ""

    def _started(self, run_id: str) -> str:
        """Starts the run once, also when the answer to an earlier try was lost."""
        self.airflow.unpause(CANARY)
        if not self.airflow.has_run(CANARY, run_id):
            self.airflow.start(CANARY, run_id)
        return ""

    def _ended(self, run_id: str) -> str:
        state = self.airflow.state(CANARY, run_id)
        if state == "failed":
            raise DeployError(f"canary run {run_id} failed: {self._why(run_id)}")
        return "" if state == "success" else f"it is {state}"

    def _why(self, run_id: str) -> str:
        lines = [
            line
            for task, attempt in self.airflow.failed_tasks(CANARY, run_id)
            for line in self.airflow.log(CANARY, run_id, task, attempt)[-5:]
        ]
        return "\n".join(lines) or "its tasks' logs say no more"

    def _until(self, lack: Callable[[], str], seconds: float, what: str) -> None:
        """Looks until nothing is lacking.

        Raises:
            DeployError: something still is after so many seconds.
        """
        end, told = time.monotonic() + seconds, ""
        while True:
            try:
                lacking = lack()
            except (AirflowAwayError, BotoCoreError, ClientError) as error:
                if not isinstance(error, AirflowAwayError) and not passes(error):
                    raise
                lacking = f"no answer: {error}"
            if not lacking:
                return
            if time.monotonic() > end:
                raise DeployError(f"{what} within {seconds:.0f} s: {lacking}")
            if lacking != told:
                self.say(f"waiting: {lacking[:300]}")
                told = lacking
            time.sleep(PAUSE)

    def _read(self, run_id: str) -> list[str]:
        """The release that `ops.canary` has of a run, through Athena."""
        query = {
            "QueryString": "SELECT release FROM ops.canary WHERE run_id = ?",
            "WorkGroup": self.workgroup,
            "ExecutionParameters": [f"'{run_id}'"],
            "ClientRequestToken": str(uuid4()),  # asked twice, it is one query
        }
        asked: dict[str, str] = {}
        rows: list[Any] = []

        def started() -> str:
            asked.update(QueryExecutionId=self.athena.start_query_execution(**query)["QueryExecutionId"])
            return ""

        def read() -> str:
            rows[:] = self.athena.get_query_results(**asked)["ResultSet"]["Rows"][1:]  # the first one has the names
            return ""

        self._until(started, READ_WITHIN, "Athena takes no query")
        self._until(lambda: self._answered(asked), READ_WITHIN, "Athena has not answered")
        self._until(read, READ_WITHIN, "Athena gives no rows")
        return [row["Data"][0]["VarCharValue"] for row in rows]

    def _answered(self, asked: dict[str, str]) -> str:
        status = self.athena.get_query_execution(**asked)["QueryExecution"]["Status"]
        if status["State"] in ("FAILED", "CANCELLED"):
            raise DeployError(f"Athena can't read ops.canary: {status.get('StateChangeReason', status['State'])}")
        return "" if status["State"] == "SUCCEEDED" else f"the query is {status['State']}"
