"""Reads a query's records into staged parts: small results in pages by REST, large ones by a Bulk 2.0 job."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Any

import pyarrow as pa
from simple_salesforce.api import Salesforce

from jobs.lake import staging
from jobs.lake.registry import Table
from jobs.lake.staging import Checkpoint, Progress
from jobs.sources.salesforce import budget, rest
from jobs.sources.salesforce.bulk import Bulk

Conform = Callable[[list[dict[str, Any]]], pa.Table]
# What was read: rows that Salesforce counted at the start, and rows that arrived.
Reading = Generator[pa.Table | Checkpoint | Progress, None, tuple[int, int]]


def by_rest(org: Salesforce, soql: str, counted: int, conform: Conform, *, rows_per_part: int) -> Reading:
    """Reads in pages. A read that was interrupted begins anew."""
    budget.require(org, budget.by_rest(counted))
    arrived = 0
    records = rest.records(org, soql)
    while part := list(islice(records, rows_per_part)):
        arrived += len(part)
        yield conform(part)
    return counted, arrived


def by_bulk(org: Salesforce, soql: str, counted: int, conform: Conform, table: Table, batch_id: str) -> Reading:
    """Reads by a Bulk 2.0 job; a read of the same batch that was interrupted goes on where it stopped.

    It goes on with its own job and its own count, so that a result is never put together from two.
    """
    jobs = Bulk(org)
    known = staging.progress(table, batch_id)
    if known and known.place.get("query") == soql and jobs.is_usable(known.place["job"]):
        yield known
        place, arrived = known.place, known.rows
        print(f"{table.name}: goes on with job {place['job']} after {known.parts} parts, {arrived} rows", flush=True)
        budget.require(org, budget.by_bulk(max(0, counted - arrived)))
    else:
        budget.require(org, budget.by_bulk(counted))
        place = {"query": soql, "job": jobs.create(soql), "locator": "", "counted": counted, "whole": False}
        arrived = 0
        yield Checkpoint(place)
    jobs.wait(place["job"])
    while not place["whole"]:
        records, locator = jobs.page(place["job"], place["locator"])
        arrived += len(records)
        yield conform(records)
        place = {**place, "locator": locator, "whole": not locator}
        yield Checkpoint(place)
    return place["counted"], arrived


def ids(org: Salesforce, counted: int, *, bulk: bool) -> Iterator[list[str]]:
    """The id of every account there is, those in the recycle bin included, in lists of bounded size."""
    soql = "SELECT Id FROM Account"
    if not bulk:
        budget.require(org, budget.by_rest(counted))
        records = rest.records(org, f"{soql} ORDER BY Id")
        while part := list(islice(records, rest.ROWS_PER_PAGE)):
            yield [record["Id"] for record in part]
        return
    budget.require(org, budget.by_bulk(counted))
    jobs = Bulk(org)
    job, locator = jobs.create(soql), ""
    jobs.wait(job)
    while True:
        found, locator = jobs.page(job, locator)
        yield [record["Id"] for record in found]
        if not locator:
            return
