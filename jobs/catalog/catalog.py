"""One Glue catalog: reads, creates and mends entries, also while others do the same."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from jobs.catalog import drift, entry
from jobs.lake.delta import log
from jobs.lake.errors import TransientError

# Another program changed the catalog between our look and our change. Looking again shows what is left to do.
OVERTAKEN = (
    "AlreadyExistsException", "ConcurrentModificationException", "EntityNotFoundException", "ResourceNotReadyException",
)  # fmt: skip
TRIES = 8
PAUSE = 0.1  # seconds, before the second try; each pause is up to twice as long as the one before


@dataclass(frozen=True)
class Catalog:
    """One Glue catalog, and the bucket whose tables it lists."""

    glue: Any
    bucket: str

    def register(self, name: str, description: str, owner: str) -> str | None:
        """Creates or mends the entry of one Delta table.

        Returns:
            What was done, or a warning that the lake has lost the table; None when neither of them has it.
        """
        uri = f"s3://{self.bucket}/{name.replace('.', '/')}"
        found = log.open_table(uri)
        database, _, short = name.partition(".")
        if found is None:
            return None if self._table(database, short) is None else _lost(name, uri)
        return self.put(name, entry.of_delta(short, description, owner, uri, json.loads(found.schema().to_json())))

    def has(self, name: str, uri: str) -> bool:
        """Whether the catalog lists this table at this place."""
        storage = (self.entry(name) or {}).get("StorageDescriptor") or {}
        return bool(storage.get("Location") == uri)

    def entry(self, name: str) -> dict[str, Any] | None:
        """What Glue tells of a table; None when it doesn't list it."""
        database, _, short = name.partition(".")
        return self._table(database, short)

    def put(self, name: str, wanted: dict[str, Any] | Callable[[], dict[str, Any]]) -> str:
        """Makes the catalog's entry of a table what is wanted; returns what was done.

        Args:
            name: of the table or view.
            wanted: its entry; or what gives it, which is asked after the present one was read, at each try.

        Raises:
            TransientError: other programs changed it at each of `TRIES` tries.
        """
        for number in range(TRIES):
            try:
                return self._put(name, wanted)
            except ClientError as error:
                if _code(error) not in OVERTAKEN:
                    raise
                overtaken = error
                time.sleep(PAUSE * 2**number * random.random())  # noqa: S311  # no secret
        raise TransientError(
            f"{name}: the Glue catalog changed under each of {TRIES} tries ({_code(overtaken)}). The entry may be out "
            "of date. Sluice will try again; see who else changes it (`aws glue get-table-versions`)."
        ) from overtaken

    def lost(self, database: str, known: Collection[str]) -> Iterator[str]:
        """A warning for each other entry of the database that lies in the lake, and has no Delta table there.

        Args:
            database: the layer.
            known: names of tables that need no look.
        """
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        try:
            for table in (table for page in pages for table in page["TableList"]):
                name, uri = f"{database}.{table['Name']}", table.get("StorageDescriptor", {}).get("Location") or ""
                in_lake = uri.startswith(f"s3://{self.bucket}/") and name not in known
                if in_lake and table.get("Parameters", {}).get("table_type") == "delta" and log.open_table(uri) is None:
                    yield _lost(name, uri)
        except ClientError as error:
            if _code(error) != "EntityNotFoundException":
                raise

    def _put(self, name: str, asked: dict[str, Any] | Callable[[], dict[str, Any]]) -> str:
        database, _, short = name.partition(".")
        self._database(database)
        present = self._table(database, short)
        wanted = asked() if callable(asked) else asked
        if present is None:
            self.glue.create_table(DatabaseName=database, TableInput=wanted)
            return f"{name}: registered, {len(wanted['StorageDescriptor']['Columns'])} columns"
        differences = drift.found(present, wanted)
        if not differences:
            return f"{name}: up to date"
        # Glue refuses the update if the entry is not the one that was read.
        version = {"VersionId": present["VersionId"]} if present.get("VersionId") else {}
        self.glue.update_table(DatabaseName=database, TableInput=drift.mended(present, wanted), **version)
        return f"{name}: updated, Glue differed: {'; '.join(differences)}"

    def _database(self, name: str) -> None:
        try:
            self.glue.get_database(Name=name)
        except ClientError as error:
            if _code(error) != "EntityNotFoundException":
                raise
            # Trino and Spark refuse a database without a location.
            self.glue.create_database(DatabaseInput={"Name": name, "LocationUri": f"s3://{self.bucket}/{name}/"})

    def _table(self, database: str, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if _code(error) != "EntityNotFoundException":
                raise
            return None
        return found


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def is_warning(line: str) -> bool:
    """Whether a line of a registration is a warning."""
    return line.startswith("WARNING ")


def _lost(name: str, uri: str) -> str:
    database, _, short = name.partition(".")
    return (
        f"WARNING {name}: Glue lists it, but {uri} holds no Delta table any more: queries fail. Restore the folder, or "
        f"run the step that builds it. If it went on purpose: "
        f"`aws glue delete-table --database-name {database} --name {short}`"
    )
