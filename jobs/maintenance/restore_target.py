"""To which version a restore takes which tables, and whether the lake still has what that version needs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from urllib.parse import unquote

from deltalake.exceptions import DeltaError

from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.log import Commit
from jobs.lake.errors import ConfigurationError, DataError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import objects

GONE = datetime.min.replace(tzinfo=UTC)  # as the time of a commit that the log no longer has


@dataclass(frozen=True)
class Target:
    """One table that goes back.

    Attributes:
        table: of the registry.
        version: that it goes back to.
        newest: its newest version.
    """

    table: Table
    version: int
    newest: int

    @property
    def uri(self) -> str:
        return settings.lake().uri(self.table.name)

    def since(self) -> Iterator[Commit]:
        """The commits after the version, newest first; each costs a request when the caller asks for it."""
        return takewhile(lambda commit: commit.version > self.version, log.newest(self.uri))

    def done_by(self, run: Run) -> Commit | None:
        """The commit that took the table there already: this run's, or the table's newest. None if there is none."""
        for commit in self.since():
            mine = commit.record is not None and commit.record.is_of(run)
            if commit.restored == self.version and (mine or commit.version == self.newest):
                return commit
        return None


def named(run: Run) -> Table:
    """The table that the run names.

    Raises:
        ConfigurationError: there is no such table, or it goes back with another one alone.
    """
    known = {table.name: table for table in tables.every()}
    for table in tables.layer("silver"):
        if run.subject == quarantine.name(table):
            raise ConfigurationError(
                f"{run.subject} belongs to {table.name}, and its rows to bronze: a restore would lose those that came "
                f"since. A run of {table.name} with full_refresh makes it what the rules say."
            )
    if run.subject not in known:
        raise ConfigurationError(f"no table {run.subject!r}; there are {', '.join(known)}")
    table = known[run.subject]
    if table.written_with:
        raise ConfigurationError(f"{table.name} goes back with {table.written_with}: restore that one")
    return table


def all_of(run: Run) -> tuple[Target, ...]:
    """The table that the run names, and those that its stream writes too, each with its version.

    Raises:
        ConfigurationError: the table or the version does not exist, or `--version` and `--timestamp` don't say one.
    """
    table = named(run)
    newest = log.version(settings.lake().uri(table.name))
    if newest is None:
        raise ConfigurationError(f"{table.name} has no table yet: there is nothing to restore")
    target = Target(table, _version(run, table, newest), newest)
    others = [other for other in tables.every() if other.written_with == table.name]
    return (target, *filter(None, (_with(target, other) for other in others)))


def _version(run: Run, table: Table, newest: int) -> int:
    if (run.version is None) == (run.timestamp is None):
        raise ConfigurationError(f"say one of --version N and --timestamp T; `history {table.name}` lists the versions")
    if run.version is not None:
        if not 0 <= run.version <= newest:
            raise ConfigurationError(f"{table.name} has no version {run.version}: it has 0 to {newest}")
        return run.version
    moment, uri = run.timestamp or GONE, settings.lake().uri(table.name)
    if moment > (last := _time(uri, newest)):
        raise ConfigurationError(
            f"{table.name}: {moment:%Y-%m-%d %H:%M:%S} is after its last version, {newest} of {last:%Y-%m-%d %H:%M:%S}"
        )
    found = bisect_right(range(newest + 1), moment, key=lambda number: _time(uri, number)) - 1
    if found < 0 or _time(uri, found) == GONE:
        first = _time(uri, found + 1)
        raise ConfigurationError(
            f"{table.name}: {moment:%Y-%m-%d %H:%M:%S} is before its first version that the log has, {found + 1} of "
            f"{first:%Y-%m-%d %H:%M:%S}"
        )
    return found


def _with(target: Target, other: Table) -> Target | None:
    """The version of another table of the same stream that belongs to the target's; None while it has none.

    It is the newest one from before the target's next commit, without what a restore did that made that commit. A
    stream writes the other table first; what is beyond the position that the target then has, it removes when it
    starts, and reads again.
    """
    uri = settings.lake().uri(other.name)
    newest = log.version(uri)
    if newest is None:
        return None
    if target.version == target.newest:
        return Target(other, newest, newest)
    following = log.commit(target.uri, target.version + 1)
    before = following.time if following else GONE
    found = bisect_left(range(newest + 1), before, key=lambda number: _time(uri, number)) - 1
    while (run := _restoring_run(following)) and run == _restoring_run(log.commit(uri, found)):
        found -= 1
    if found < 0:
        raise ConfigurationError(f"{other.name} is younger than version {target.version} of {target.table.name}")
    return Target(other, found, newest)


def _restoring_run(commit: Commit | None) -> tuple[str, str] | None:
    """The run of a restore, which takes the other tables back first; None for every other commit."""
    if commit is None or commit.restored is None or commit.record is None:
        return None
    return commit.record.dag_id, commit.record.run_id


def _time(uri: str, number: int) -> datetime:
    found = log.commit(uri, number)
    return GONE if found is None else found.time


def refuse_missing_files(target: Target) -> None:
    """Looks in S3 for each data file of the version: one LIST of the table's folder for a thousand files.

    Raises:
        DataError: one is gone, or the log no longer says which they are.
    """
    name, version = target.table.name, target.version
    choose = f"Choose a newer version: `history {name}` lists them"
    try:
        missing, number = missing_files(target.uri, version)
    except DeltaError as error:
        raise DataError(
            f"{name}: the log no longer says what version {version} was ({type(error).__name__}). Nothing was changed. "
            f"{choose}."
        ) from None
    if missing:
        raise DataError(
            f"{name}: {len(missing)} of {number} data files of version {version} are gone, the first is {missing[0]}. "
            f"VACUUM removes files a week after a table stopped using them. Nothing was changed. {choose}; or, if the "
            "bucket keeps versions of objects, undelete the files."
        )


def missing_files(uri: str, version: int) -> tuple[list[str], int]:
    """The data files of a version that the lake does not have, and how many files the version has.

    Raises:
        DeltaError: the log no longer says it.
    """
    found = log.open_table(uri, version)
    if found is None:  # so it says when the log was cleaned up to a later checkpoint
        raise DeltaError(f"no version {version}")
    uris = sorted(found.file_uris())
    root = f"{settings.lake().root}/"
    present = {f"{root}{key}" for key in objects.keys(f"{uri.removeprefix(root)}/")}
    return [one for one in uris if one not in present and unquote(one) not in present], len(uris)
