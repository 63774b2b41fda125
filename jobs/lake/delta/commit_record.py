"""What a commit says about itself: one typed record in the commit's Delta user metadata.

There is no other bookkeeping: "what is new since my last run", the ledger, the lineage and the checks that no row was
lost are all read from these records. So data and state can't disagree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from jobs.lake.errors import LakeError
from jobs.lake.run import Run

FORMAT = 2  # records without a number are of format 1
# What can become of a row that was read.
ENDS = ("written", "unchanged", "superseded", "quarantined", "dead_lettered")


@dataclass(frozen=True)
class Counts:
    """Rows of one step. Each row read is counted in exactly one of the next five.

    Attributes:
        read: rows that the step read.
        written: rows that changed the table.
        unchanged: rows that the table already holds.
        superseded: rows that are older than what the table or the same batch holds.
        quarantined: rows that a rule split off.
        dead_lettered: messages that could not be read.
        deleted: rows of the table that the step removed; they are not input rows.
        reinstated: rows of earlier batches that the step wrote again, because what had superseded them has left
            bronze; they are not input rows.
    """

    read: int
    written: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    dead_lettered: int = 0
    deleted: int = 0
    reinstated: int = 0

    @property
    def accounted(self) -> int:
        """Rows whose outcome is counted. This equals `read`, unless rows were lost or doubled."""
        return sum(getattr(self, end) for end in ENDS)

    def __str__(self) -> str:
        shown = {name: value for name, value in asdict(self).items() if value or name in ("read", "written")}
        return ", ".join(f"{name.replace('_', '-')} {value:,}" for name, value in shown.items())


@dataclass(frozen=True)
class CommitRecord:
    """One commit's record. Fields that don't apply to the commit keep their defaults, and are not written.

    Attributes:
        run_id: Airflow's run id; with `dag_id` it names the run.
        step: `silver.orders`, `dlq.replay`, ...
        dag_id: the DAG; empty in records of format 1.
        code: hash of the code release.
        inputs: version of each table that the step read.
        input_ids: id of each of these tables; {} in records of format 1.
        counts: of rows; None for commits that read nothing, such as compaction.
        seconds: from the start of the step to the commit.
        fencing: fencing number of the lease that the writer held.
        source: bronze: `<system>/<object>`.
        batch_id: bronze: the batch that the commit writes.
        window: bronze: `start` and `end` of the source time that was read, ISO 8601, UTC. Without a `start`, the
            read went from the beginning.
        read_to: bronze: how far the source has been read once this is committed, ISO 8601, UTC; None if only exact
            windows were read.
        facts: bronze: what the source said about itself.
        since: silver: the version of each bronze table after which its rows were read; None for all rows.
        read_by_source: silver: number of rows read from each bronze table.
        batches: silver: batches that were read, by bronze table; None for all batches of the table.
        lost: silver: of these, batches that had lost rows since they were read before, by bronze table. They were read
            whole, and can be empty now.
        quarantine_version: silver: the quarantine's version that belongs to the commit; None without a quarantine.
        replayed: batches that were read again on purpose.
        whole: gold: all rows were computed, not only the affected ones.
        position: stream: the first offset of each topic partition that was not read yet.
        topic: stream: the topic that `position` is of; None in records of release 0.1.0, as are the next two.
        topic_id: stream: Kafka's id of it. A topic that is deleted and created again has another.
        newest: stream: the newest message that was read of each topic partition, by which a log is known again:
            offset, Kafka's time in milliseconds, CRC-32 of the value.
        reasons: stream: number of dead-lettered messages by reason.
        batch_seconds: stream: how long the batch took.
        gap: stream: offsets [from, to) of each topic partition that Kafka deleted before they were read, and that a
            person accepted as lost.
        lost_offsets: stream: how many offsets the gap has.
        accepted: versions of other writers that a person accepted.
        restored_to: a RESTORE: the version that the table went back to.
        who: the person who accepted them, or restored it.
        housekeeping: figures of a table's housekeeping, by name (`jobs/maintenance/optimize_vacuum.py`).
        why: and why.
        format: of the record; 1 is what release 0.1.0 wrote.
    """

    run_id: str = ""
    step: str = ""
    dag_id: str = ""
    code: str = ""
    inputs: Mapping[str, int] = field(default_factory=dict)
    input_ids: Mapping[str, str] = field(default_factory=dict)
    counts: Counts | None = None
    seconds: float | None = None
    fencing: int | None = None
    source: str | None = None
    batch_id: str | None = None
    window: Mapping[str, str | None] | None = None
    read_to: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    since: Mapping[str, int | None] = field(default_factory=dict)
    read_by_source: Mapping[str, int] = field(default_factory=dict)
    batches: Mapping[str, Sequence[str] | None] | None = None
    lost: Mapping[str, Sequence[str]] = field(default_factory=dict)
    quarantine_version: int | None = None
    replayed: tuple[str, ...] = ()
    whole: bool | None = None
    position: Mapping[str, int] | None = None
    topic: str | None = None
    topic_id: str | None = None
    newest: Mapping[str, Sequence[int]] | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    batch_seconds: float | None = None
    gap: Mapping[str, Sequence[int]] | None = None
    lost_offsets: int | None = None
    accepted: tuple[int, ...] = ()
    restored_to: int | None = None
    housekeeping: Mapping[str, float] = field(default_factory=dict)
    who: str = ""
    why: str = ""
    format: int = FORMAT

    @classmethod
    def of(cls, run: Run, **values: Any) -> CommitRecord:
        """The record of a commit that this run is about to make."""
        return cls(run_id=run.run_id, step=run.step, dag_id=run.dag_id, code=run.code, seconds=run.seconds, **values)

    @property
    def rebuilds(self) -> bool:
        """Silver: whether all of bronze was read, so that nothing of earlier commits is left in the table."""
        return bool(self.since) and not self.replayed and all(version is None for version in self.since.values())

    def is_of(self, run: Run) -> bool:
        """Whether a step of this run made the commit. A record of format 1 does not name its DAG."""
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
        values = {
            f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, {}, (), "")
        }
        if self.counts:
            values["counts"] = asdict(self.counts)
        return json.dumps(values, sort_keys=True, default=str)

    @classmethod
    def from_json(cls, text: str | None) -> CommitRecord | None:
        """The record in a commit's user metadata; None for commits of other writers, which have none.

        Records of earlier releases can be read too. Fields that only later releases know are ignored.
        """
        values = json.loads(text) if text and text.startswith("{") else {}
        if not values:
            return None
        known = {f.name: values[f.name] for f in fields(cls) if values.get(f.name) is not None}
        known.setdefault("format", 1)
        if counts := known.pop("counts", None):
            known["counts"] = Counts(**{f.name: counts.get(f.name, 0) for f in fields(Counts)})
        # In format 1, a replay of dead messages wrote its one batch as a text.
        replayed = known.pop("replayed", ())
        known["accepted"] = tuple(known.pop("accepted", ()))
        known["replayed"] = (replayed,) if isinstance(replayed, str) else tuple(replayed)
        return cls(**known)
