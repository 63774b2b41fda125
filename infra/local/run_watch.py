"""Prints the tasks of a DAG's runs as they change, and the log of those that failed."""

from __future__ import annotations

from collections.abc import Mapping

from infra.local.airflow_api import AirflowApi, TaskState
from infra.local.lifecycle import say

LOG_LINES = 30
RETRY_LOG_LINES = 8
# State -> word in a line. Other states are not shown: queues and the moments on a worker are short.
_WORDS: Mapping[str, str] = {
    "running": "started",
    "deferred": "started",
    "success": "success",
    "skipped": "skipped",
    "failed": "FAILED",
    "upstream_failed": "not run: what it needs failed",
    "up_for_retry": "failed, will be tried again",
}


class RunWatch:
    """Prints the changes of runs, each once."""

    def __init__(self, api: AirflowApi, dag: str) -> None:
        self._api = api
        self._dag = dag
        self._said: dict[tuple[str, str], tuple[str, int]] = {}

    def look(self, label: str, run: str) -> None:
        """Prints what has changed in a run since the last look. The label names the run."""
        for task in sorted(self._api.tasks(self._dag, run), key=lambda task: task.ended or "~"):
            word, said = _WORDS.get(task.state), (_WORDS.get(task.state, ""), task.attempt)
            if word is None or self._said.get((run, task.task)) == said:
                continue
            self._said[run, task.task] = said
            attempt = f"  (attempt {task.attempt})" if task.attempt > 1 else ""
            took = f"  {task.seconds:.0f} s" if task.seconds and word != "started" else ""
            say(f"  {label}  {task.task:<28} {word}{took}{attempt}")
            if task.state == "up_for_retry":
                self._show_log(run, task, RETRY_LOG_LINES)

    def explain(self, label: str, run: str) -> None:
        """Prints the last log lines of a run's failed tasks."""
        for task in self._api.tasks(self._dag, run):
            if task.state == "failed":
                say(f"\n{label} {task.task} failed; its log ends:")
                self._show_log(run, task, LOG_LINES)

    def _show_log(self, run: str, task: TaskState, lines: int) -> None:
        for line in self._api.log(self._dag, run, task.task, task.attempt)[-lines:]:
            say(f"  | {line}")
