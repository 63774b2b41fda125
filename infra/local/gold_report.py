"""The end of `make run`: gold through the Athena API, and the seconds of each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.local import athena, clients, tables
from infra.local.addresses import Addresses
from infra.local.airflow_api import AirflowApi
from infra.local.lifecycle import say

QUERIES = {
    "Top 10 customers by revenue": """
        SELECT c.name AS customer_name, c.type AS customer_type,
               ROUND(SUM(f.amount_usd), 2) AS total_revenue_usd, COUNT(f.order_id) AS total_orders
        FROM gold.fact_orders f JOIN gold.dim_customers c ON f.customer_id = c.id
        WHERE f.amount_usd IS NOT NULL
        GROUP BY c.name, c.type
        ORDER BY total_revenue_usd DESC
        LIMIT 10""",
    "Revenue of the newest days": """
        SELECT order_date, COUNT(*) AS orders, ROUND(SUM(amount_usd), 2) AS revenue_usd
        FROM gold.fact_orders
        GROUP BY order_date
        ORDER BY order_date DESC
        LIMIT 10""",
}


@dataclass(frozen=True)
class JobTimes:
    """An EMR Serverless job run: its id, seconds that it waited in the queue, and seconds that its process ran."""

    id: str
    queued: float
    ran: float


def show(addresses: Addresses, api: AirflowApi, dag: str, runs: Mapping[str, tuple[str, float | None]]) -> None:
    """Prints gold, and the steps' seconds in runs of the DAG: run id -> date and seconds."""
    for title, statement in QUERIES.items():
        say(f"\n{title}\n{athena.query(addresses, statement, database='gold')}")
    say("\nSeconds per step: the task in Airflow, of which queued on EMR, of which in Spark")
    say(_seconds(api, dag, runs, job_times(addresses, dag)))


def _seconds(
    api: AirflowApi,
    dag: str,
    runs: Mapping[str, tuple[str, float | None]],
    jobs: Mapping[tuple[str, str], JobTimes],
) -> str:
    columns = [tables.Column("step")]
    for date, _ in runs.values():
        columns += [tables.Column(name, number=True) for name in (date, "queued", "Spark")]
    tasks = {run: {task.task: task.seconds for task in api.tasks(dag, run)} for run in runs}
    steps = sorted({step for seconds in tasks.values() for step in seconds}, key=_layer)
    rows: list[list[str | None]] = []
    for step in steps:
        row: list[str | None] = [step]
        for run in runs:
            job = jobs.get((run, step))
            spent = (tasks[run].get(step), job.queued if job else None, job.ran if job else None)
            row += [_rounded(seconds) for seconds in spent]
        rows.append(row)
    whole: list[str | None] = ["whole run"]
    for _, seconds in runs.values():
        whole += [_rounded(seconds), "", ""]
    # The local EMR Serverless forgets its job runs when the platform stops.
    return tables.text(columns, [*rows, whole], null="-")


def job_times(addresses: Addresses, dag: str) -> dict[tuple[str, str], JobTimes]:
    """(run id, task id) -> the times of its last job run."""
    emr = clients.client(addresses, "emr-serverless")
    application = addresses.emr_application_id
    times = {}
    for page in emr.get_paginator("list_job_runs").paginate(applicationId=application):
        for summary in sorted(page["jobRuns"], key=lambda summary: summary["createdAt"]):
            if not summary.get("name", "").startswith(f"{dag}/"):
                continue
            job = emr.get_job_run(applicationId=application, jobRunId=summary["id"])["jobRun"]
            if "startedAt" in job and "endedAt" in job:
                times[job["tags"]["run"], job["tags"]["task"]] = JobTimes(
                    id=job["jobRunId"],
                    queued=job.get("queuedDurationMilliseconds", 0) / 1000,
                    ran=(job["endedAt"] - job["startedAt"]).total_seconds(),
                )
    return times


def _layer(step: str) -> tuple[int, str]:
    order = ("bronze", "silver", "gate", "gold", "register")
    layer = step.partition(".")[0]
    return (order.index(layer) if layer in order else len(order), step)


def _rounded(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.0f}"
