"""What ran when a person stopped everything: one object in the lake, written before anything is stopped.

While it stands, everything is stopped. A second stop keeps it, so that it never says that what was stopped did not run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sluice_airflow.lake_objects import LakeObjects

KEY = "_control/emergency_stop.json"


@dataclass(frozen=True)
class Decision:
    """Who decided something, when and why.

    Attributes:
        who: a person.
        why: the reason.
        at: ISO 8601, UTC.
        run_id: of the DAG run in which it was done.
    """

    who: str
    why: str
    at: str
    run_id: str

    def __str__(self) -> str:
        return f"{self.who}, {self.at}: {self.why}"


@dataclass(frozen=True)
class StopRecord:
    """One stop.

    Attributes:
        stopped: who stopped everything.
        dags: DAGs that were not paused.
        streams: desired state of each stream that was to run, by its table.
        undone: who undid it; None while everything is stopped.
    """

    stopped: Decision
    dags: Sequence[str] = ()
    streams: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    undone: Decision | None = None

    @property
    def mark(self) -> str:
        """Names this stop in the desired state of streams."""
        return f"emergency stop by {self.stopped.who}, {self.stopped.at}"


def read(objects: LakeObjects) -> StopRecord | None:
    """The newest stop; None if there never was one."""
    found: dict[str, Any] | None = objects.read_json(KEY)
    if found is None:
        return None
    undone = found["undone"]
    return StopRecord(
        Decision(**found["stopped"]), tuple(found["dags"]), found["streams"], Decision(**undone) if undone else None
    )


def write(objects: LakeObjects, record: StopRecord) -> None:
    """Keeps the stop. An earlier one must have been undone."""
    objects.write_json(KEY, asdict(record))
