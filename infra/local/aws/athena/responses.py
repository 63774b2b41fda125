"""The HTTP side of Athena's query calls. moto's own handlers answer the other calls."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, cast

from moto.athena import models, responses, urls

from infra.local.aws.athena.execution import DONE, QueryExecution
from infra.local.aws.athena.results import shape
from infra.local.aws.athena.service import Athena, InvalidRequestException

MOST_ROWS = 1000
MOST_QUERIES = 50


class AthenaResponse(responses.AthenaResponse):
    """The handlers. moto finds each by the name of its operation."""

    @property
    def backend(self) -> Athena:
        return cast(Athena, self.athena_backend)

    def start_query_execution(self) -> str:
        work_group = self._get_param("WorkGroup") or "primary"
        configuration = self._get_param("ResultConfiguration") or {}
        query = QueryExecution(
            sql=self._get_param("QueryString"),
            parameters=self._get_param("ExecutionParameters") or [],
            context=self._get_param("QueryExecutionContext") or {},
            work_group=work_group,
            output=self.backend.output_location(configuration.get("OutputLocation"), work_group),
        )
        started = self.backend.start(query, self._get_param("ClientRequestToken"))
        return json.dumps({"QueryExecutionId": started.id})

    def get_query_execution(self) -> str:
        query = self.backend.query(self._get_param("QueryExecutionId"))
        return json.dumps({"QueryExecution": _described(query)})

    def batch_get_query_execution(self) -> str:
        found, missing = [], []
        for query_id in self._get_param("QueryExecutionIds"):
            try:
                found.append(_described(self.backend.query(query_id)))
            except InvalidRequestException as error:
                missing.append({"QueryExecutionId": query_id, "ErrorMessage": error.message})
        return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing})

    def list_query_executions(self) -> str:
        queries = self.backend.queries(self._get_param("WorkGroup"))
        start = int(self._get_param("NextToken") or 0)
        end = start + int(self._get_param("MaxResults") or MOST_QUERIES)
        answer: dict[str, Any] = {"QueryExecutionIds": [query.id for query in queries[start:end]]}
        if end < len(queries):
            answer["NextToken"] = str(end)
        return json.dumps(answer)

    def stop_query_execution(self) -> str:
        self.backend.stop(self._get_param("QueryExecutionId"))
        return json.dumps({})

    def get_query_results(self) -> str:
        limit = int(self._get_param("MaxResults") or MOST_ROWS)
        if not 1 <= limit <= MOST_ROWS:
            raise InvalidRequestException(f"MaxResults must be between 1 and {MOST_ROWS}")
        query, rows, token = self.backend.results(
            self._get_param("QueryExecutionId"), self._get_param("NextToken"), limit
        )
        answer: dict[str, Any] = {"UpdateCount": 0, "ResultSet": shape(rows, query.columns)}
        if token:
            answer["NextToken"] = token
        return json.dumps(answer)

    def delete_named_query(self) -> str:
        """Moto keeps named queries and deletes none: it answers 500, and Terraform's destroy never ends."""
        query_id = self._get_param("NamedQueryId")
        if self.backend.named_queries.pop(query_id, None) is None:
            raise InvalidRequestException(f"NamedQuery {query_id} was not found")
        return json.dumps({})


def _described(query: QueryExecution) -> dict[str, Any]:
    described: dict[str, Any] = {
        "QueryExecutionId": query.id,
        "Query": query.sql,
        "StatementType": "DDL" if query.ddl else "DML",
        "ResultConfiguration": {"OutputLocation": query.location},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": query.context,
        "Status": _status(query),
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
        "Statistics": _statistics(query),
        "WorkGroup": query.work_group,
    }
    if query.parameters:
        described["ExecutionParameters"] = query.parameters
    return described


def _status(query: QueryExecution) -> dict[str, Any]:
    status: dict[str, Any] = {"State": query.state, "SubmissionDateTime": query.submitted}
    if query.state in DONE:
        status["CompletionDateTime"] = query.completed
    if query.reason:
        status["StateChangeReason"] = query.reason
    if query.state == "FAILED":
        status["AthenaError"] = {
            "ErrorCategory": 2 if query.by_user else 1,
            "ErrorType": 1000 if query.by_user else 0,
            "Retryable": False,
            "ErrorMessage": query.reason,
        }
    return status


def _statistics(query: QueryExecution) -> dict[str, Any]:
    now = query.completed or time.time()
    started = query.started or now
    queued, ran = round((started - query.submitted) * 1000), round((now - started) * 1000)
    return {
        "EngineExecutionTimeInMillis": ran,
        "DataScannedInBytes": query.scanned,
        "TotalExecutionTimeInMillis": queued + ran,
        "QueryQueueTimeInMillis": queued,
        "ServicePreProcessingTimeInMillis": 0,
        "QueryPlanningTimeInMillis": 0,
        "ServiceProcessingTimeInMillis": 0,
        "ResultReuseInformation": {"ReusedPreviousResult": False},
    }


def close() -> None:
    """Cancels every running query."""
    for _, _, backend in models.athena_backends.iter_backends():
        cast(Athena, backend).close()


def install(scratch: Path) -> None:
    """Replaces moto's service by this one. The folder is for the files of running queries."""
    Athena.scratch = scratch
    Athena.paths = dict.fromkeys(urls.url_paths, AthenaResponse.dispatch)
    models.athena_backends.backend = Athena  # moto makes one for each account and region
