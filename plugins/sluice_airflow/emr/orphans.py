"""Job runs that go on although their task instance has ended, and nobody waits for them.

A task's end cancels its job run: its worker does, or its trigger. Some ends reach neither: a person marks a deferred
task while no triggerer runs, or EMR Serverless is away just then. So every task that starts a job run first ends what
others have left. Nothing of a sweep can fail the task that makes it, and a job run that no sweep sees ends by its own
time limit.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sluice_airflow.emr.identity import mark_of, work_mark
from sluice_airflow.emr.runs import LIVE, JobRuns
from sluice_airflow.emr.task_states import answers

PATIENCE_SECONDS = 15.0  # a sweep must not hold up the task that makes it

log = logging.getLogger(__name__)


def end_orphans(runs: JobRuns, task_instance: Any, *, project: str) -> None:
    """Cancels each live job run of a task of this project whose task instance has ended, or is no more.

    Args:
        runs: of the application.
        task_instance: of the context; Airflow is asked through it.
        project: tag of the job runs. Two Airflows that share an application need two projects: neither knows the
            other's task instances.
    """
    try:
        runs, known = replace(runs, patience=PATIENCE_SECONDS), {}
        for run in runs.every(states=list(LIVE)):
            if not (mark := mark_of(run.get("name", ""))):
                continue
            described = runs.get(run["id"])
            words = described["jobDriver"]["sparkSubmit"].get("entryPointArguments", [])
            dag_id, run_id = _option(words, "--dag"), _option(words, "--run-id")
            if described.get("tags", {}).get("project") != project or not (dag_id and run_id):
                continue
            if (dag_id, run_id) not in known:
                answer = task_instance.get_task_states(dag_id=dag_id, run_ids=[run_id])
                known[dag_id, run_id] = answer.get(run_id) or {}
            states = list(_states(known[dag_id, run_id], dag_id, run_id, mark))
            if not any(map(answers, states)):
                runs.cancel(run["id"], f"{run['name']}: its task is {', '.join(map(str, states)) or 'no more'}")
    except Exception as error:  # the next task that starts sweeps again
        log.warning("Job runs that others have left could not be looked for: %s", error)


def _states(found: Mapping[str, str | None], dag_id: str, run_id: str, mark: str) -> Iterator[str | None]:
    """The state of the task instance whose job runs bear the mark; nothing when there is no such task instance."""
    for key, state in found.items():
        if mark in {work_mark(dag_id, run_id, task_id, map_index) for task_id, map_index in _works(key)}:
            yield state


def _works(key: str) -> Iterator[tuple[str, int]]:
    """The task ids and map indexes that a key of Airflow's answer may mean: `load_3` is the task, or `load` at 3."""
    yield key, -1
    if mapped := re.fullmatch(r"(.+)_(\d+)", key):
        yield mapped[1], int(mapped[2])


def _option(words: Sequence[str], name: str) -> str:
    """The value of a job's option, written as one word or as two; empty without it."""
    for index, word in enumerate(words):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name:
            return "".join(words[index + 1 : index + 2])
    return ""
