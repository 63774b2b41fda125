"""What a source said about itself when it was last read: the `facts` of bronze commits."""

from __future__ import annotations

from typing import Any

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.registry import Table


def newest(table: Table, *names: str) -> dict[str, Any] | None:
    """The facts of the newest commit that has all these; None when the log has no such commit.

    Commits of housekeeping and of other writers have none, and are passed over.
    """
    for commit in log.commits(settings.lake().uri(table.name)):
        facts = commit.metadata.get("facts") or {}
        if all(facts.get(name) is not None for name in names):
            return dict(facts)
    return None
