"""The part of its sources that a DAG run reads, as arguments of its jobs.

A scheduled or plain manual run reads from the source's watermark to the end of its data interval, so it never
skips what an earlier run left. A backfill, or a manual run with a window, reads exactly its interval and does not move
the watermark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol


@dataclass(frozen=True)
class RunWindow:
    """A half-open interval of source time.

    Attributes:
        start: None when the run has no interval: read from the watermark.
        end: everything before it is read.
        exact: read exactly `[start, end)` and leave the watermark where it is; otherwise read from the watermark on.
        full_refresh: read as if there were no watermark.
    """

    start: datetime | None
    end: datetime
    exact: bool = False
    full_refresh: bool = False

    def __post_init__(self) -> None:
        if self.exact and self.start is None:
            raise ValueError("an exact window needs a start: set window_start")
        if self.exact and self.full_refresh:
            raise ValueError("full_refresh reads everything, and a window reads a part: choose one")
        if self.start is not None and self.start >= self.end:
            raise ValueError(f"the window is empty: {_iso(self.start)} is not before {_iso(self.end)}")

    @classmethod
    def of(cls, run: DagRunProtocol, params: Mapping[str, Any]) -> RunWindow:
        """The window of a DAG run.

        Args:
            run: the DAG run. Without a data interval, as a manual run may be, its window ends when it was asked for.
            params: `window_start` and `window_end` replace the bounds of the data interval.

        Raises:
            ValueError: the parameters don't make a window; the message says what to change.
        """
        start = _moment(params.get("window_start"))
        end = _moment(params.get("window_end"))
        return cls(
            start=start or run.data_interval_start,
            end=end or run.data_interval_end or run.run_after,
            exact=start is not None or end is not None or run.run_type == "backfill",
            full_refresh=bool(params.get("full_refresh")),
        )

    def arguments(self) -> list[str]:
        """The window on a job's command line, in UTC."""
        return [
            *(["--window-start", _iso(self.start)] if self.start else []),
            *["--window-end", _iso(self.end)],
            *(["--exact"] if self.exact else []),
            *(["--full-refresh"] if self.full_refresh else []),
        ]


def _moment(text: str | None) -> datetime | None:
    """An ISO date or date-time; without a zone it is UTC."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
