"""What one job run was asked to do. A run is the pair (DAG, run id): two DAGs can have runs with the same run id."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Window:
    """A half-open interval [start, end) of source time, UTC. Without a start, it reads from the beginning."""

    start: datetime | None
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"a window needs times with a zone, got {moment.isoformat()}")
        if self.start is not None and self.start >= self.end:
            raise ValueError(f"window start {self.start.isoformat()} is not before its end {self.end.isoformat()}")

    @property
    def batch_id(self) -> str:
        """Names the batch that this window reads. A window that is read again replaces its own batch."""
        return f"{_compact(self.start) if self.start else 'beginning'}-{_compact(self.end)}"

    def record(self) -> dict[str, str | None]:
        """As written to ledgers and commits: ISO 8601, UTC."""
        return {"start": self.start.isoformat() if self.start else None, "end": self.end.isoformat()}


# Damage that a run refuses, unless a person accepts it.
ACCEPTABLE = ("fewer_rows", "null_column")


@dataclass(frozen=True)
class Run:
    """One step of one run.

    Attributes:
        run_id: Airflow's run id.
        step: `bronze.fx_rates`, `gate`, `register`, ...
        dag_id: the DAG, which with `run_id` names the run; `by_hand` if a person started the step.
        code: hash of the code release, or `unreleased`.
        window_start: start of the run's data interval, UTC.
        window_end: its end, UTC.
        exact: read exactly the interval and move no watermark (backfills); otherwise read from the watermark on.
        full_refresh: read sources from their beginning, and rebuild from whole inputs instead of from changes.
        tables: the tables that the pipeline run was limited to; empty for all.
        accept: what this run accepts although it looks like damage: `fewer_rows`, `null_column`.
        lineage_parent: the Airflow task that started it, as OpenLineage names it: `<namespace>/<dag>.<task>/<run id>`.
        job: name of the job run that executes the step; empty outside of one (a shell, a test).
        subject: what the step is about: the pipeline of `gate` and `register`, the table of `lineage` and the like.
        rule: limits an operation on the quarantine to rows that break this rule, on a dead-letter queue to this reason.
        batches: limits an operation on the quarantine, or a silver step, to these bronze batches.
        offsets: limits an operation on a dead-letter queue to messages of `PARTITION:FROM-TO`.
        version: of a table that an operation is about.
        timestamp: the moment, UTC, whose version of a table an operation is about.
        who: the person who decided what the step does; kept in the commit.
        why: and why.
        dry_run: say what the step would do, and change nothing.
    """

    run_id: str
    step: str
    dag_id: str = "by_hand"
    code: str = "unreleased"
    window_start: datetime | None = None
    window_end: datetime | None = None
    exact: bool = False
    full_refresh: bool = False
    tables: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    lineage_parent: str = ""
    job: str = ""
    subject: str = ""
    rule: str = ""
    batches: tuple[str, ...] = ()
    offsets: tuple[str, ...] = ()
    version: int | None = None
    timestamp: datetime | None = None
    who: str = ""
    why: str = ""
    dry_run: bool = False
    _begun: float = field(default_factory=time.monotonic, compare=False, repr=False)

    @property
    def seconds(self) -> float:
        """Since the step began."""
        return round(time.monotonic() - self._begun, 1)

    def builds(self, table: str) -> bool:
        """Whether the pipeline run builds this table."""
        return not self.tables or table in self.tables

    def __str__(self) -> str:
        return f"{self.dag_id} {self.run_id}"


def _compact(moment: datetime) -> str:
    """To the second, or to the microsecond where there are some: different windows have different batches."""
    return f"{moment:%Y%m%dT%H%M%S.%fZ}" if moment.microsecond else f"{moment:%Y%m%dT%H%M%SZ}"


def utc(text: str) -> datetime:
    """Parses ISO 8601; a time without zone is taken as UTC.

    Raises:
        ValueError: not ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
