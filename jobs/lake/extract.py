"""What the kernel asks a source's reader, and what the reader returns: both sides of a bronze table's `extract`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from jobs.lake.registry import Table
from jobs.lake.run import Window


@dataclass(frozen=True)
class Request:
    """One window of one source.

    Attributes:
        table: the bronze table that the rows are for.
        window: source time to read.
        exact: a backfill asks. What the source holds today says nothing about its window.
        accept: damage that the run accepts, out of `run.ACCEPTABLE`. With `fewer_rows`, a source that lost rows is
            read as it is.
        known: what the reader returned when it last read the source; {} the first time.
        bronze: opens the bronze table as it is, for a source that compares what it has with what was read; None when
            there is no table.
    """

    table: Table
    window: Window
    exact: bool = False
    accept: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    bronze: Callable[[], ds.Dataset | None] = lambda: None


@dataclass(frozen=True)
class Checkpoint:
    """A reader yields it after some rows: an interrupted read can go on from here.

    Attributes:
        resume_from: where that is, as the source describes it; JSON.
    """

    resume_from: dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far an interrupted read got. A reader that goes on from there yields it first.

    Attributes:
        resume_from: of the last checkpoint.
        parts: number of parts that were written before it.
        rows: number of rows in those parts.
        nulls: number of nulls in each column of those parts.
    """

    resume_from: dict[str, Any]
    parts: int
    rows: int
    nulls: dict[str, int]


# The rows, as Arrow tables of limited size. The generator returns what the source said about them (counts, sums). That
# goes into the commit's `facts`, and is `known` to the next read.
SourceRows = Generator[pa.Table | Checkpoint | Progress, None, dict[str, Any] | None]
Extract = Callable[[Request], SourceRows]
