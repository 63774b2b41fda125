"""The tables that housekeeping looks after: all of the registry, and the quarantine of each silver table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jobs.lake import quarantine, settings, tables
from jobs.lake.errors import ConfigurationError


@dataclass(frozen=True)
class HousedTable:
    """What housekeeping has to know of a table.

    Attributes:
        name: `<layer>.<table>`.
        zorder_by: columns by which its rows are sorted into files; empty for a table that is only compacted.
        partition_by: its partition column; None without one.
        continuous: a stream writes it, and joins its small files itself.
    """

    name: str
    zorder_by: tuple[str, ...] = ()
    partition_by: str | None = None
    continuous: bool = False

    @property
    def uri(self) -> str:
        return settings.lake().uri(self.name)

    @property
    def looked_up(self) -> str | None:
        """The column by whose values a query most often asks; None where no query does."""
        return next(iter(self.zorder_by), None)


def chosen(names: Collection[str] = ()) -> list[HousedTable]:
    """The tables with these names; without names, all.

    Raises:
        ConfigurationError: there is no such table.
    """
    known = [
        *(HousedTable(t.name, t.zorder_by, t.partition_column, t.continuous) for t in tables.every()),
        *(HousedTable(quarantine.name(table)) for table in tables.layer("silver")),
    ]
    if unknown := set(names) - {table.name for table in known}:
        there_are = ", ".join(table.name for table in known)
        raise ConfigurationError(f"no table {', '.join(sorted(unknown))} to look after; there are {there_are}")
    return [table for table in known if not names or table.name in names]
