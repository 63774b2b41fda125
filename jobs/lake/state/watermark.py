"""How far a source has been read: `_checkpoints/<source>/<object>/watermark.json`. Without it, all is read again.

It is saved after the bronze commit. So after a kill between the two, a window is read twice (its batch then replaces
itself), and no window is ever skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from jobs.lake.registry import Table
from jobs.lake.run import Run, Window, utc
from jobs.lake.state import objects


def _key(table: Table) -> str:
    return f"_checkpoints/{table.source}/watermark.json"


def window(run: Run, table: Table) -> Window:
    """The window of source time that this run reads.

    Exact runs read their interval, and full refreshes read everything up to its end. Other runs read to the end of
    their interval too. They start the table's overlap before the watermark. If the watermark has already passed the
    interval, they start the overlap before the interval instead. The run that moved the watermark gets its own window
    again, so that a retry reads the same.

    Raises:
        ValueError: the run has no interval, or it is empty.
    """
    if run.window_end is None:
        raise ValueError("a bronze step needs --window-end")
    if run.exact:
        if run.window_start is None:
            raise ValueError("an exact window needs --window-start")
        return Window(run.window_start, run.window_end)
    saved = objects.read_json(_key(table))
    if saved is None or run.full_refresh:
        return Window(None, run.window_end)
    if _is_of(run, saved) and utc(saved["end"]) == run.window_end:
        return Window(utc(saved["start"]) if saved["start"] else None, run.window_end)
    overlap = timedelta(hours=table.overlap_hours)
    read_to = utc(saved["end"])
    if read_to < run.window_end:
        return Window(read_to - overlap, run.window_end)
    begin = run.window_start or run.window_end - timedelta(days=1)
    return Window(begin - overlap, run.window_end)


def save(run: Run, table: Table, read: Window) -> None:
    """Moves the watermark to the end of `read`; exact runs and older windows never move it."""
    if run.exact:
        return
    saved = objects.read_json(_key(table))
    if saved is None or utc(saved["end"]) < read.end:
        objects.write_json(_key(table), {**read.record(), "dag_id": run.dag_id, "run_id": run.run_id})


def _is_of(run: Run, saved: Mapping[str, Any]) -> bool:
    """Whether this run moved the watermark. Earlier releases saved it without the DAG's id."""
    return (saved.get("dag_id", run.dag_id), saved["run_id"]) == (run.dag_id, run.run_id)
