"""What a commit says of itself: one typed record, in Delta's user metadata of that commit.

It is the only bookkeeping: "what is new since my last run", the ledger, the lineage and the checks that no row was
lost are all read from here. So data and state can't disagree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from jobs.lake.errors import LakeError
from jobs.lake.run import Run

FORMAT = 2  # 1 is what was written before records had a number
# Where a row that was read can end.
ENDS = ("written", "unchanged", "superseded", "quarantined", "dead_lettered")


@dataclass(frozen=True)
class Counts:
    """Rows of one step; each row read is in exactly one of the five that follow.

    Attributes:
        read: rows that entered.
        written: rows that changed the table.
        unchanged: rows that the table holds already.
        superseded: rows older than what the table or the same batch holds.
        quarantined: rows split off by a rule.
        dead_lettered: messages that could not be read.
        deleted: rows of the table that the step removed; they are not input rows.
    """

    read: int
    written: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    dead_lettered: int = 0
    deleted: int = 0

    @property
    def accounted(self) -> int:
        """Rows of which we know what became of them; `read`, unless rows were lost or doubled."""
        return sum(getattr(self, end) for end in ENDS)

    def __str__(self) -> str:
        shown = {name: value for name, value in asdict(self).items() if value or name in ("read", "written")}
        return ", ".join(f"{name.replace('_', '-')} {value:,}" for name, value in shown.items())


@dataclass(frozen=True)
class CommitRecord:
    """The record. Fields that say nothing for a commit are left at their defaults, and are not written.

    Attributes:
        run_id: Airflow's run id; with `dag_id` it names the run.
        step: `silver.orders`, `dlq.replay`, ...
        dag_id: the DAG; empty in records of format 1.
        code: hash of the code release.
        inputs: version of each table that the commit was made of.
        counts: of rows; None for commits that read nothing, such as compaction.
        seconds: from the start of the step to the commit.
        fencing: number of the lease under which it was made.
        source: bronze: `<system>/<object>`.
        batch_id: bronze: the batch that the commit brings.
        window: bronze: `start` and `end` of the source time that was read, ISO 8601, UTC; no `start` is the beginning.
        facts: bronze: what the source said about itself.
        since: silver: version of each bronze table after which the rows came; None for all rows.
        read_by_source: silver: rows that each bronze table gave.
        batches: silver: batches that were read, by bronze table; None for all that it has.
        quarantine_version: silver: the quarantine's version that belongs to the commit.
        replayed: batches that were read again on purpose.
        whole: gold: all rows were computed, not only the affected ones.
        position: stream: the first offset that was not read yet, by partition.
        reasons: stream: dead-lettered messages by reason.
        batch_seconds: stream: what the batch took.
        gap: stream: offsets [from, to) of each partition that Kafka had deleted unread, and a person accepted.
        lost_offsets: stream: how many these are.
    """

    run_id: str = ""
    step: str = ""
    dag_id: str = ""
    code: str = ""
    inputs: Mapping[str, int] = field(default_factory=dict)
    counts: Counts | None = None
    seconds: float | None = None
    fencing: int | None = None
    source: str | None = None
    batch_id: str | None = None
    window: Mapping[str, str | None] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    since: Mapping[str, int | None] = field(default_factory=dict)
    read_by_source: Mapping[str, int] = field(default_factory=dict)
    batches: Mapping[str, Sequence[str] | None] | None = None
    quarantine_version: int | None = None
    replayed: tuple[str, ...] = ()
    whole: bool | None = None
    position: Mapping[str, int] | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    batch_seconds: float | None = None
    gap: Mapping[str, Sequence[int]] | None = None
    lost_offsets: int | None = None

    @classmethod
    def of(cls, run: Run, **facts: Any) -> CommitRecord:
        """The record of a commit that this run is about to make."""
        return cls(run_id=run.run_id, step=run.step, dag_id=run.dag_id, code=run.code, seconds=run.seconds, **facts)

    def is_of(self, run: Run) -> bool:
        """Whether a step of the same run has made the commit. A record of format 1 does not know its DAG."""
        return self.run_id == run.run_id and self.dag_id in ("", run.dag_id)

    def to_json(self) -> str:
        """The text for the commit.

        Raises:
            LakeError: the counts don't add up: rows were lost or doubled.
        """
        if self.counts and self.counts.accounted != self.counts.read:
            raise LakeError(
                f"{self.step}: rows lost or doubled: {self.counts.read} read but {self.counts.accounted} accounted "
                f"for in {asdict(self.counts)}. Nothing was written"
            )
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, {}, ())}
        if self.counts:
            said["counts"] = asdict(self.counts)
        return json.dumps({"format": FORMAT, **said}, sort_keys=True, default=str)

    @classmethod
    def from_json(cls, text: str | None) -> CommitRecord | None:
        """The record in a commit's user metadata; None for commits of others, which have none.

        Takes what earlier releases wrote, and leaves out fields that only later ones know.
        """
        said = json.loads(text) if text and text.startswith("{") else {}
        if not said:
            return None
        known = {f.name: said[f.name] for f in fields(cls) if said.get(f.name) is not None}
        if counts := known.pop("counts", None):
            known["counts"] = Counts(**{f.name: counts.get(f.name, 0) for f in fields(Counts)})
        # Format 1 had one batch as a text where a replay of dead messages was meant.
        replayed = known.pop("replayed", ())
        known["replayed"] = (replayed,) if isinstance(replayed, str) else tuple(replayed)
        return cls(**known)
