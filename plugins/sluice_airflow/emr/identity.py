"""The names with which a task instance finds its own job run again."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

LONGEST_PREFIX = 220  # of the 256 characters of a name


@dataclass(frozen=True)
class JobIdentity:
    """One try of one piece of work.

    The work is (DAG, run, task, map index): at most one live job run may do it, whichever try started it.

    Attributes:
        clear_number: how often tasks of the DAG run were cleared. A retry goes on with the job run of an earlier
            try; a cleared task starts a new one.
        run_started: when the DAG run began. It goes into the token, so that a DAG run which was deleted and
            made again under its old id isn't answered with the old one's job run.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    clear_number: int
    try_number: int
    run_started: str

    @classmethod
    def of(cls, context: Any) -> JobIdentity:
        """The identity of the task instance that runs in this context."""
        task_instance, dag_run = context["ti"], context["dag_run"]
        return cls(
            dag_id=task_instance.dag_id,
            run_id=task_instance.run_id,
            task_id=task_instance.task_id,
            map_index=task_instance.map_index,
            clear_number=dag_run.clear_number or 0,
            try_number=task_instance.try_number,
            run_started=dag_run.start_date.isoformat() if dag_run.start_date else "",
        )

    @property
    def work_prefix(self) -> str:
        """How the names of all job runs of this work begin: readable, and unique even when ids had to be cut."""
        mapped = f"[{self.map_index}]" if self.map_index >= 0 else ""
        mark = f" #{self._digest('work')[:12]} "
        return f"{self.dag_id}/{self.task_id}{mapped} {self.run_id}"[: LONGEST_PREFIX - len(mark)] + mark

    @property
    def adoptable_prefix(self) -> str:
        """How the names of the job runs begin that a later try may go on with."""
        return f"{self.work_prefix}clear {self.clear_number} "

    @property
    def name(self) -> str:
        """The job run's name."""
        return f"{self.adoptable_prefix}try {self.try_number}"

    @property
    def token(self) -> str:
        """The client token: the same when a try submits twice, another for each try. 1 to 64 characters."""
        return f"{self._digest(self.run_started)[:48]}-{self.try_number}"

    def tags(self, project: str) -> dict[str, str]:
        """The job run's tags."""
        return tags(project=project, dag=self.dag_id, task=self.task_id, run=self.run_id)

    def _digest(self, salt: str) -> str:
        parts = [self.dag_id, self.run_id, self.task_id, self.map_index, salt]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def tags(**values: str) -> dict[str, str]:
    """Tags of a job run; characters that AWS does not allow become `_`."""
    return {key: re.sub(r"[^A-Za-z0-9 /_.:=+@-]", "_", value)[:256] for key, value in values.items()}
