"""The org's records, fields and notes, in one SQLite file.

A record is a JSON document, so that fields can be added and removed as in a real org.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.local.sources.salesforce.fields import STANDARD_FIELDS, TYPES, Field, timestamp, to_stored
from infra.local.sources.salesforce.soql import parse
from infra.local.sources.salesforce.sqlite_query import plan

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, is_deleted INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_modstamp ON record (json_extract(body, '$.SystemModstamp'), id);
CREATE TABLE IF NOT EXISTS field (name TEXT PRIMARY KEY COLLATE NOCASE, type TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, text TEXT NOT NULL);
"""


class Store:
    """Reads and changes the org. Each change is one transaction."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)
        if not self.fields():
            self.change_fields(put=STANDARD_FIELDS)

    def close(self) -> None:
        self._db.close()

    def fields(self) -> dict[str, Field]:
        """The object's fields by lower-case name, in order of creation."""
        rows = self._db.execute("SELECT name, type FROM field ORDER BY rowid")
        return {name.lower(): Field(name, type_) for name, type_ in rows}

    def change_fields(self, *, put: Iterable[Field] = (), drop: Iterable[str] = ()) -> None:
        """Adds fields or changes their types, and hides others from describe and queries. Values stay.

        Raises:
            ValueError: a type is unknown, or a name is not a plain word.
        """
        with self._db:
            for field in put:
                if field.type not in TYPES or not field.name.isidentifier() or not field.name.isascii():
                    raise ValueError(
                        f"{field.name} {field.type}: a field needs a plain name, and a type of {sorted(TYPES)}"
                    )
                self._db.execute(
                    "INSERT INTO field VALUES (?, ?) ON CONFLICT DO UPDATE SET type = excluded.type",
                    (field.name, field.type),
                )
            self._db.executemany("DELETE FROM field WHERE name = ?", [(name,) for name in drop])

    def query(self, soql: str, *, include_deleted: bool) -> tuple[tuple[Field, ...], list[dict[str, object]]]:
        """A query's fields, and its records with these fields. COUNT() gives no fields and `{"count": n}`.

        Raises:
            ApiError: the query is wrong.
        """
        planned = plan(parse(soql), self.fields(), include_deleted=include_deleted)
        # Field names in the clauses are the org's own; values are parameters.
        statement = f"SELECT body FROM record {planned.clauses}"
        bodies = self._db.execute(statement, planned.parameters).fetchall()
        if not planned.fields:
            return (), [{"count": len(bodies)}]
        records = (json.loads(body) for (body,) in bodies)
        return planned.fields, [{field.name: record.get(field.name) for field in planned.fields} for record in records]

    def upsert(self, records: Iterable[Mapping[str, object]]) -> int:
        """Creates records, or changes the given fields of existing ones. Returns their number.

        Raises:
            ValueError: a field is unknown, a value has the wrong type, or Id or SystemModstamp is missing.
        """
        fields, number = self.fields(), 0
        with self._db:
            for record in records:
                if "Id" not in record or "SystemModstamp" not in record:
                    raise ValueError("a record needs an Id and a SystemModstamp: no clock is used here")
                body = self._body(str(record["Id"])) or {"IsDeleted": False}
                for name, value in record.items():
                    if name.lower() not in fields:
                        raise ValueError(f"Account has no field {name}")
                    field = fields[name.lower()]
                    body[field.name] = to_stored(field, value)
                self._write(body)
                number += 1
        return number

    def delete(self, ids: Iterable[str], at: str) -> int:
        """Marks records as deleted at a time. Returns how many existed."""
        moment, number = timestamp(at), 0
        with self._db:
            for identifier in ids:
                if body := self._body(identifier):
                    times = {"LastModifiedDate": moment, "SystemModstamp": moment}
                    self._write({**body, **times, "IsDeleted": True})
                    number += 1
        return number

    def purge(self, ids: Iterable[str] | None) -> int:
        """Removes records, as an emptied recycle bin does; None removes all. Returns how many existed."""
        with self._db:
            if ids is None:
                return self._db.execute("DELETE FROM record").rowcount
            return self._db.executemany("DELETE FROM record WHERE id = ?", [(i,) for i in ids]).rowcount

    def note(self, name: str) -> str | None:
        row = self._db.execute("SELECT text FROM note WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_note(self, name: str, text: str | None) -> None:
        """Keeps a text for whoever loaded the data. None removes it."""
        with self._db:
            self._db.execute("DELETE FROM note WHERE name = ?", (name,))
            if text is not None:
                self._db.execute("INSERT INTO note VALUES (?, ?)", (name, text))

    def counts(self) -> dict[str, int]:
        sql = "SELECT count(*), coalesce(sum(is_deleted), 0) FROM record"
        total, deleted = self._db.execute(sql).fetchone()
        return {"records": total, "deleted": deleted}

    def _body(self, identifier: str) -> dict[str, object] | None:
        row = self._db.execute("SELECT body FROM record WHERE id = ?", (identifier,)).fetchone()
        return json.loads(row[0]) if row else None

    def _write(self, body: Mapping[str, object]) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
            (body["Id"], bool(body["IsDeleted"]), json.dumps(body)),
        )
