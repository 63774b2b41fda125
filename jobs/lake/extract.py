"""What the kernel asks of a source, and what a source's reader answers: the two sides of a bronze table's `extract`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.lake.registry import Table
from jobs.lake.run import Window


@dataclass(frozen=True)
class Request:
    """One window of one source.

    Attributes:
        table: the bronze table that the rows are for.
        window: of source time, to be read whole.
        exact: a backfill asks: what the source holds today says nothing about the window.
        accept: damage that is meant, of `run.ACCEPTABLE`: `fewer_rows` takes a source that lost rows as it is.
        known: what the reader returned when it last read the source; {} at the first time.
    """

    table: Table
    window: Window
    exact: bool = False
    accept: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Yielded after some rows to say: an interrupted read can go on from here.

    Attributes:
        resume_from: where that is, in the source's own words; JSON.
    """

    resume_from: dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far an interrupted read came. A reader that goes on from there yields it first.

    Attributes:
        resume_from: of the last checkpoint.
        parts: that were written before it.
        rows: in those parts.
        nulls: nulls of each column in them.
    """

    resume_from: dict[str, Any]
    parts: int
    rows: int
    nulls: dict[str, int]


# The rows, as Arrow tables of bounded size. The generator's own value is what the source said about them (counts,
# sums): it goes into the commit's `facts`, and is `known` to the next read.
SourceRows = Generator[pa.Table | Checkpoint | Progress, None, dict[str, Any] | None]
Extract = Callable[[Request], SourceRows]
