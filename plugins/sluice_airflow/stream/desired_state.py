"""What Airflow asks of a stream: a small object in the lake, which the stream's driver looks at every few seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sluice_airflow.lake_objects import LakeObjects

RUNNING, STOPPED = "running", "stopped"
NO_RELEASE = "none, it starts anew"  # no release is called so: whatever runs drains, and what comes next is a new run


@dataclass(frozen=True)
class Wish:
    """As `jobs.lake.state.stream_control.Wish`, which a plugin can't import; a test holds the two together.

    Attributes:
        wanted: `running` or `stopped`.
        code: hash of the release that shall run; a stream of another one drains and ends. Empty for any.
        by: who asked: a DAG run.
    """

    wanted: str = RUNNING
    code: str = ""
    by: str = ""

    def keeps(self, code: str) -> bool:
        """Whether a stream of this release is to go on."""
        return self.wanted == RUNNING and self.code in ("", code)


@dataclass(frozen=True)
class Wishes:
    """Where the wish for one stream is.

    Attributes:
        objects: of the lake.
        key: of the wish's object.
    """

    objects: LakeObjects
    key: str

    def read(self) -> Wish:
        """The wish; nobody having asked for anything is a wish that it runs."""
        return Wish(**(self.objects.read_json(self.key) or {}))

    def write(self, wish: Wish) -> Wish:
        self.objects.write_json(self.key, asdict(wish))
        return wish
