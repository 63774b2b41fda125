"""Fencing: a table whose commits carry a number takes no commit with a lower one.

A lease's number grows with every owner, and each commit records it. The lease itself tells an owner that it was taken
over. This is the second guard, for when the lease's object is not what it was: a person deleted it, or put an earlier
version of it back.

What it can't do: Spark's Delta has no commit on S3 that depends on a condition, so that check and commit are two
steps. An owner that stands still between them, for as long as another needs to take the lease and commit, still
commits. It learns so when it gives the lease back: its step fails with `LeaseLostError`.
"""

from __future__ import annotations

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.log import Commit
from jobs.lake.errors import LeaseLostError

# Commits without a number are skipped, but only so many: RESTORE, the table's creation, those of other programs.
LOOK_BACK = 10


class Fence:
    """The newest commit of a table that carries a number. It remembers what it has seen, and reads only what is new.

    The first look costs three requests, or up to twelve if the newest commits have no number. Later ones cost one, and
    one for each commit that came since, up to the first with a number.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._uri = settings.lake().uri(table)
        self._seen: tuple[int, str] | None = None  # the newest version, and the ETag of its log entry
        self._newest: Commit | None = None

    def last(self) -> int:
        """The number of the newest commit that has one; 0 if there is none."""
        known, etag = self._seen or (-1, "")
        entries = log.entries(self._uri, since=known) if self._seen else {}
        if entries.get(known) != etag:  # the first look, or the table was dropped and created again
            known, self._newest, entries = -1, None, log.entries(self._uri)
        version = max(entries, default=-1)
        self._seen = (version, entries[version]) if entries else None
        for number in range(version, max(known, version - LOOK_BACK), -1):
            commit = log.commit(self._uri, number)
            if commit is None:
                break  # the log was cleaned up to here
            if commit.record and commit.record.fencing is not None:
                self._newest = commit
                break
        return _number(self._newest)

    def check(self, number: int, run_id: str) -> None:
        """Refuses a commit with a number lower than the table's last one.

        Raises:
            LeaseLostError: the table has a commit of a later owner.
        """
        if number < self.last() and self._newest and self._newest.record:
            raise LeaseLostError(
                f"{self._table}: the lease of run {run_id} was taken over while it wrote. It has fencing number "
                f"{number}, and version {self._newest.version} of run {self._newest.record.run_id} has "
                f"{_number(self._newest)}. Nothing more was committed: run the step again."
            )


def _number(commit: Commit | None) -> int:
    return (commit.record.fencing or 0) if commit and commit.record else 0
