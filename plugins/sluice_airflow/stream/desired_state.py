"""What Airflow wants of a stream: a small object in the lake, which the stream's driver reads every few seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sluice_airflow.lake_objects import LakeObjects

RUNNING, STOPPED = "running", "stopped"
# Not the hash of any release: whatever runs drains, and the next start makes a new job run.
NO_RELEASE = "none: restart requested"


@dataclass(frozen=True)
class DesiredState:
    """As `jobs.lake.state.stream_control.DesiredState`, which a plugin can't import; a test holds the two equal.

    Its fields are the object's JSON keys. Drivers of other releases read and write the same object, so they stay.

    Attributes:
        wanted: `running` or `stopped`.
        code: hash of the release that is to run; a stream of another release drains and ends. Empty for any.
        by: who asked: a DAG run.
    """

    wanted: str = RUNNING
    code: str = ""
    by: str = ""

    def keeps(self, code: str) -> bool:
        """Whether a stream of this release is to go on."""
        return self.wanted == RUNNING and self.code in ("", code)


@dataclass(frozen=True)
class DesiredStateObject:
    """Where the desired state of one stream is kept.

    Attributes:
        objects: of the lake.
        key: of the object.
    """

    objects: LakeObjects
    key: str

    def read(self) -> DesiredState:
        """The desired state; when nobody has written one, the stream is to run."""
        return DesiredState(**(self.objects.read_json(self.key) or {}))

    def look(self) -> tuple[DesiredState, datetime | None]:
        """The desired state, and when it was written; None when nobody has."""
        value, written_at = self.objects.read_dated(self.key)
        return DesiredState(**(value or {})), written_at

    def write(self, desired: DesiredState) -> DesiredState:
        self.objects.write_json(self.key, asdict(desired))
        return desired


def desired_state_key(table: str) -> str:
    """Object key of the desired state of the stream that writes this table; the same on the job side."""
    return f"_control/{table}.json"


def report_key(table: str) -> str:
    """Object key of the newest report of the stream that writes this table; the same on the job side."""
    return f"ops/streams/{table}.json"
