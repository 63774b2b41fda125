"""The names with which a task instance finds its own job run again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_PREFIX = 210  # of the 256 characters of a name
TRY_TAG = "try"  # the try that answers for the job run
_MARK = re.compile(r" #([0-9a-f]{12}) .*try \d+$")
_END = re.compile(r" asked (?P<asked>[0-9a-f]{12}) clear (?P<clear>\d+) try (?P<try>\d+)$")


@dataclass(frozen=True)
class JobIdentity:
    """One try of one piece of work.

    The work is (DAG, run, task, map index): at most one live job run may do it, whichever try started it.

    Attributes:
        try_number: counts on when the task is cleared.
        cleared_after: the newest try before the task was cleared; 0 if it never was. Job runs of this and of earlier
            tries are never gone on with. Clearing other tasks of the DAG run does not change it.
        clear_number: how often any tasks of the DAG run were cleared.
        run_started: when the DAG run began; a DAG run that was deleted and made again under its old id has another.
        asked: digest of what is asked of the job run (`asked`).
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    cleared_after: int = 0
    clear_number: int = 0
    run_started: str = ""
    asked: str = ""

    @classmethod
    def of(cls, context: Any, *, retries: int, asked: str) -> JobIdentity:
        """The identity of the task instance that runs in this context.

        Args:
            context: of Airflow.
            retries: of the task. Airflow adds them to the newest try's number when the task is cleared.
            asked: digest of what is asked.
        """
        task_instance, dag_run = context["ti"], context["dag_run"]
        return cls(
            dag_id=task_instance.dag_id,
            run_id=task_instance.run_id,
            task_id=task_instance.task_id,
            map_index=task_instance.map_index,
            try_number=task_instance.try_number,
            cleared_after=max(0, task_instance.max_tries - retries),
            clear_number=dag_run.clear_number or 0,
            run_started=dag_run.start_date.isoformat() if dag_run.start_date else "",
            asked=asked,
        )

    @property
    def work_prefix(self) -> str:
        """How the names of all job runs of this work begin: readable, and unique even when ids had to be cut."""
        mapped = f"[{self.map_index}]" if self.map_index >= 0 else ""
        mark = f" #{work_mark(self.dag_id, self.run_id, self.task_id, self.map_index)} "
        return f"{self.dag_id}/{self.task_id}{mapped} {self.run_id}"[: LONGEST_PREFIX - len(mark)] + mark

    @property
    def name(self) -> str:
        """The job run's name."""
        return f"{self.work_prefix}asked {self._request[:12]} clear {self.clear_number} try {self.try_number}"

    @property
    def token(self) -> str:
        """The client token: the same when a try submits twice, another for each try. 1 to 64 characters."""
        work = work_mark(self.dag_id, self.run_id, self.task_id, self.map_index)
        return f"{_digest(work, self._request)[:48]}-{self.try_number}"

    def adopts(self, name: str, *, ended: bool = False) -> bool:
        """Whether this try may go on with the job run of this name: the same was asked, and the task not cleared since.

        Args:
            name: of a job run.
            ended: it has succeeded. Then nothing of the DAG run may have been cleared since: a task that is cleared
                while it is on a worker keeps its number of tries, and whoever cleared it wants it done again.
        """
        end = _END.search(name)
        return (
            end is not None
            and name.startswith(self.work_prefix)
            and end["asked"] == self._request[:12]
            and self.cleared_after < int(end["try"]) <= self.try_number
            and (not ended or int(end["clear"]) == self.clear_number)
        )

    def tags(self, project: str) -> dict[str, str]:
        """The job run's tags."""
        own = {TRY_TAG: str(self.try_number)}
        return own | tags(project=project, dag=self.dag_id, task=self.task_id, run=self.run_id)

    @property
    def _request(self) -> str:
        return _digest(self.asked, self.run_started)


def asked(request: Mapping[str, Any]) -> str:
    """Digest of a request to start a job run. It must not hold what differs between tries, such as the name."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def work_mark(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """What the names of a work's job runs have in common, whatever the length of its ids."""
    return _digest(dag_id, run_id, task_id, map_index, "work")[:12]


def mark_of(name: str) -> str:
    """The mark in a job run's name; empty when the job run is no task's."""
    found = _MARK.search(name)
    return found[1] if found else ""


def tags(**values: str) -> dict[str, str]:
    """Tags of a job run; characters that AWS does not allow become `_`."""
    return {key: re.sub(r"[^A-Za-z0-9 /_.:=+@-]", "_", value)[:256] for key, value in values.items()}


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
