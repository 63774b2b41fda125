"""Athena that really runs queries, in threads of its own, with results in S3.

moto's backend keeps work groups, named queries and the rest. Its executions, which only give prepared results, are
replaced.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import duckdb
from botocore.exceptions import BotoCoreError, ClientError
from moto.athena import models, urls
from moto.core.exceptions import JsonRESTError

from infra.local.aws.athena import errors, results
from infra.local.aws.athena.catalog import Catalog
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.execution import DONE, QueryExecution
from infra.local.aws.athena.query import Engine
from infra.local.aws.athena.statements import Statement

AT_ONCE = 2
CANCELLED_WITHIN = 10.0  # seconds

logger = logging.getLogger(__name__)


class InvalidRequestException(JsonRESTError):
    """A call that Athena refuses."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidRequestException", message)


class Athena(models.AthenaBackend):
    """The service in one account and region.

    Attributes:
        scratch: folder for the files of running queries. Set once, before the server starts.
        paths: URL patterns and their handlers. Set at the same time.
    """

    scratch: ClassVar[Path]
    paths: ClassVar[Mapping[str, Callable[..., Any]]]
    _pool: ClassVar[ThreadPoolExecutor] = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="athena")

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._queries: dict[str, QueryExecution] = {}
        self._tokens: dict[str, QueryExecution] = {}
        self._start_lock = threading.Lock()

    @property
    def _url_module(self) -> Any:
        return urls  # moto would derive it from this module's name

    @property
    def url_paths(self) -> dict[str, Callable[..., Any]]:
        return {pattern.format(""): handler for pattern, handler in self.paths.items()}

    def start(self, query: QueryExecution, token: str | None) -> QueryExecution:
        """Starts a query, or gives the one that was started with this token."""
        with self._start_lock:
            if token and (known := self._tokens.get(token)):
                if (known.sql, known.context, known.output) != (query.sql, query.context, query.output):
                    raise InvalidRequestException("Idempotent parameters do not match")
                return known
            self._queries[query.id] = query
            if token:
                self._tokens[token] = query
        self._pool.submit(self._run, query)
        return query

    def query(self, query_id: str) -> QueryExecution:
        if query_id not in self._queries:
            raise InvalidRequestException(f"QueryExecution {query_id} was not found")
        return self._queries[query_id]

    def queries(self, work_group: str | None) -> list[QueryExecution]:
        """Executions of a work group, newest first."""
        return [query for query in list(self._queries.values()) if query.work_group == (work_group or "primary")][::-1]

    def stop(self, query_id: str) -> None:
        self._cancel(self.query(query_id), "Query cancelled by user")

    def close(self) -> None:
        """Cancels all queries that run or wait, so that the server can end."""
        for query in list(self._queries.values()):
            self._cancel(query, "The local Athena was stopped")

    def _cancel(self, query: QueryExecution, reason: str) -> None:
        query.end("CANCELLED", reason)
        give_up = time.monotonic() + CANCELLED_WITHIN
        # An interrupt between two statements of the engine is lost: a query is described many times before it runs.
        while (connection := query.connection) is not None and time.monotonic() < give_up:
            connection.interrupt()
            time.sleep(0.05)

    def results(
        self, query_id: str, token: str | None, limit: int
    ) -> tuple[QueryExecution, list[list[str | None]], str | None]:
        """A page of a result: the query, the rows, the next page's token."""
        query = self.query(query_id)
        if query.state not in DONE:
            raise InvalidRequestException(f"Query has not yet finished. Current state: {query.state}")
        if query.state != "SUCCEEDED":
            raise InvalidRequestException(f"Query did not finish successfully. Final query state: {query.state}")
        start = int(token) if token else 0
        rows, following = results.page(query.location, query.size, start=start, limit=limit, as_csv=query.header)
        return query, rows, None if following is None else str(following)

    def output_location(self, asked: str | None, work_group: str) -> str:
        """Where a result goes. A work group may name a location, and may enforce it.

        Raises:
            InvalidRequestException: the work group is unknown, or there is no location.
        """
        group = self.work_groups.get(work_group)
        if group is None:
            raise InvalidRequestException(f"WorkGroup {work_group} is not found.")
        own = (group.configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        enforced = group.configuration.get("EnforceWorkGroupConfiguration")
        output = (own or asked) if enforced else (asked or own)
        if not output:
            raise InvalidRequestException(
                "No output location provided. An output location is required either through the Workgroup "
                "result configuration setting or as an API input."
            )
        return str(output)

    def _run(self, query: QueryExecution) -> None:
        folder = self.scratch / query.id
        try:
            folder.mkdir(parents=True)
            self._execute(query, folder)
        except QueryError as error:
            query.end("FAILED", str(error), by_user=error.by_user)
        except duckdb.Error as error:  # raised while rows are fetched
            cause = errors.of_engine(error)
            query.end("FAILED", str(cause), by_user=cause.by_user)
        except (BotoCoreError, ClientError) as error:
            query.end("FAILED", f"Unable to read the tables or write the result to {query.output}: {error}")
        except Exception as error:  # a bug in this server must show as a failed query, not as an endless one
            logger.exception("query %s", query.id)
            reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
            query.end("FAILED", reason, by_user=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _execute(self, query: QueryExecution, folder: Path) -> None:
        engine = Engine(Catalog(self.account_id, self.region_name), folder)
        try:
            if not query.begin(engine.connection):
                return
            statement = Statement(query.sql, query.parameters, engine, query.database)
            result = statement.run()
            query.columns, query.header = tuple(result.columns), result.header
            query.size = results.store(result, query.location)
            query.scanned = engine.scanned
            query.end("SUCCEEDED")
        finally:
            query.connection = None
            engine.connection.close()
