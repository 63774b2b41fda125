"""Causes that have been alerted and not recovered yet: one small object each in the lake, under `ops/alerts/open/`.

Tasks fail side by side on several machines. Each change is S3's conditional PUT on what was seen before, so that of
twenty tasks one opens the cause and tells it, and of the tasks that succeed later one closes it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_airflow.alerts.cause import Cause
from sluice_airflow.lake_objects import LakeObjects

FOLDER = "ops/alerts/open/"
WHOLE_RUN = ""  # the "task" of a failure that belongs to a DAG run as a whole
CLAIM = timedelta(seconds=60)  # who said that it would tell, and has not by then, was killed
REMIND = timedelta(hours=20)  # a daily run that fails again the next day is told again
MOST = 200  # failed tasks that a cause remembers
TRIES = 20

Value = dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """A task of a DAG run that failed.

    Attributes:
        task: its id; `WHOLE_RUN` for the run itself.
        run_id: of the DAG run.
        exact: the run reads exactly one window, as a backfill does: only the same run makes up for it.
    """

    task: str
    run_id: str
    exact: bool = False


class BusyError(Exception):
    """So many tasks change a cause at once that this one did not get its turn."""


@dataclass(frozen=True)
class OpenCauses:
    """The open causes of one DAG."""

    objects: LakeObjects
    dag_id: str

    def add(self, cause: Cause, failed: Failed, **about: Any) -> bool:
        """Notes that a task failed; answers whether the caller has to tell it.

        Args:
            cause: of the failure.
            failed: the task.
            about: what a recovery will need to know of the alert.
        """
        now = _now()

        def change(found: Value | None) -> tuple[Value, bool]:
            if found is None or found.get("closed_at"):
                names = {"dag_id": cause.dag_id, "kind": cause.kind, "error": cause.error, "step": cause.step}
                found = {**names, **about, "opened_at": now, "told_at": None, "claimed_at": None, "count": 0}
            tell = _untold(found, now)
            others = [one for one in found.get("failed", []) if one != vars(failed)]
            value = {**found, "failed": [*others, vars(failed)][-MOST:], "count": found["count"] + 1}
            return ({**value, "claimed_at": now} if tell else value), tell

        return self._change(_key(cause.key), change)

    def told(self, key: str, *, well: bool) -> None:
        """Notes that the alert was sent; if it was not, the next that sees the cause tries it."""
        now = _now()
        self._change(
            _key(key),
            lambda found: (
                ({**found, "told_at": now} if well else {**found, "claimed_at": None}, True) if found else (None, False)
            ),
        )

    def every(self) -> dict[str, Value]:
        """The causes of the DAG by their keys."""
        keys = self.objects.keys(f"{FOLDER}{self.dag_id}/")
        found = {key.removeprefix(FOLDER).removesuffix(".json"): self.objects.read_json(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def claim_untold(self, key: str) -> bool:
        """Whether the caller has to tell this cause, because whoever opened it has not."""
        now = _now()

        def change(found: Value | None) -> tuple[Value | None, bool]:
            if found is None or found.get("closed_at") or found["told_at"] or not _untold(found, now):
                return None, False
            return {**found, "claimed_at": now}, True

        return self._change(_key(key), change)

    def succeed(self, key: str, done: Failed, *, tasks: frozenset[str] | None = None) -> bool:
        """Takes a task that succeeded out of a cause. Answers whether it is closed, and the caller has to tell that.

        A run of a window makes up for itself alone; any other run reads all that is new, and so makes up for earlier
        ones.

        Args:
            key: of the cause.
            done: the task that succeeded.
            tasks: the DAG's tasks; what failed and is no longer among them is taken out too. None: not known.
        """
        now = _now()

        def over(one: Value) -> bool:
            same = one["task"] == done.task or (tasks is not None and one["task"] not in tasks)
            return same and (one["run_id"] == done.run_id or not (one["exact"] or done.exact))

        def change(found: Value | None) -> tuple[Value | None, bool]:
            if found is None:
                return None, False
            if found.get("closed_at"):  # by one that was killed before it told?
                late = _moment(found["closed_at"]) < _moment(now) - CLAIM
                return ({**found, "closed_at": now}, True) if late else (None, False)
            left = [one for one in found["failed"] if not over(one)]
            if len(left) == len(found["failed"]):
                return None, False
            return ({**found, "failed": left}, False) if left else ({**found, "failed": [], "closed_at": now}, True)

        return self._change(_key(key), change)

    def forget(self, key: str) -> None:
        """Deletes a closed cause, unless it was opened again meanwhile."""
        found = self.objects.read_json(_key(key))
        if found and found.get("closed_at"):
            self.objects.delete(_key(key))

    def _change(self, key: str, change: Callable[[Value | None], tuple[Value | None, bool]]) -> bool:
        """Changes an object as nobody else does at that moment.

        Raises:
            BusyError: others did, again and again.
        """
        for _ in range(TRIES):
            found, etag = self.objects.read_with_etag(key)
            value, answer = change(found)
            if value is None or value == found or self.objects.write_json_if(key, value, etag=etag):
                return answer
            time.sleep(random.uniform(0.02, 0.3))  # noqa: S311 - spreads tasks that fail at once
        raise BusyError(key)


def _untold(found: Value, now: str) -> bool:
    """Whether somebody has to tell an open cause at this moment."""
    claimed, told = found["claimed_at"], found["told_at"]
    if claimed and _moment(claimed) >= _moment(now) - CLAIM:
        return False
    return told is None or _moment(told) < _moment(now) - REMIND


def _key(key: str) -> str:
    return f"{FOLDER}{key}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
