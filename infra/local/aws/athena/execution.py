"""Executions of statements, as the Athena API shows them."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field

import duckdb

from infra.local.aws.athena.statements import is_ddl
from infra.local.aws.athena.types import Column

DONE = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


@dataclass
class QueryExecution:
    """One execution of a statement.

    Attributes:
        location: the S3 object of its result.
        scanned: bytes of the tables that it read.
        size: bytes of its result.
    """

    sql: str
    parameters: list[str]
    context: dict[str, str]
    work_group: str
    output: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str = ""
    by_user: bool = True
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    scanned: int = 0
    size: int = 0
    columns: tuple[Column, ...] = ()
    header: bool = False
    connection: duckdb.DuckDBPyConnection | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ddl(self) -> bool:
        return is_ddl(self.sql)

    @property
    def location(self) -> str:
        return f"{self.output.rstrip('/')}/{self.id}.{'txt' if self.ddl else 'csv'}"

    @property
    def database(self) -> str:
        return self.context.get("Database") or "default"

    def begin(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Goes to RUNNING, unless it was cancelled before."""
        with self.lock:
            if self.state in DONE:
                return False
            self.state, self.connection, self.started = "RUNNING", connection, time.time()
            return True

    def end(self, state: str, reason: str = "", *, by_user: bool = True) -> None:
        """Ends it, unless it has ended already: a cancelled query stays cancelled, whatever its engine reports."""
        with self.lock:
            if self.state not in DONE:
                self.state, self.reason, self.by_user, self.completed = state, reason, by_user, time.time()
