"""Reads a query's records into staged parts: small results in pages by REST, large ones by a Bulk 2.0 job."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from math import ceil
from typing import Any

import pyarrow as pa
from simple_salesforce.api import Salesforce

from jobs.lake import staging
from jobs.lake.extract import Checkpoint, Progress, Request
from jobs.sources.salesforce import budget, rest
from jobs.sources.salesforce.bulk import Bulk
from jobs.sources.salesforce.sobject import SObject

# What decides whether a record is held as it is.
STATE = ("Id", "SystemModstamp", "IsDeleted")
# A query travels in the address of a call, which may have 16,384 characters.
IDS_PER_QUERY = 200

# What was read: rows that Salesforce counted at the start, and rows that arrived.
Reading = Generator[pa.Table | Checkpoint | Progress, None, tuple[int, int]]


def by_rest(org: Salesforce, sobject: SObject, soql: str, counted: int, *, rows_per_part: int) -> Reading:
    """Reads in pages. A read that was interrupted begins again."""
    budget.require(org, budget.by_rest(counted))
    arrived = 0
    records = rest.records(org, soql)
    while part := list(islice(records, rows_per_part)):
        arrived += len(part)
        yield sobject.rows(part)
    return counted, arrived


def by_bulk(org: Salesforce, sobject: SObject, soql: str, counted: int, request: Request) -> Reading:
    """Reads by a Bulk 2.0 job; a read of the same batch that was interrupted goes on where it stopped.

    It goes on with its own job and its own count, so that a result is never put together from two jobs.
    """
    jobs = Bulk(org, sobject.name)
    known = staging.progress(request.table, request.window.batch_id)
    if known and known.resume_from.get("query") == soql and jobs.is_usable(known.resume_from["job"]):
        yield known
        state, arrived = known.resume_from, known.rows
        print(
            f"{request.table.name}: goes on with job {state['job']} after {known.parts} parts, {arrived} rows",
            flush=True,
        )
        budget.require(org, budget.by_bulk(max(0, counted - arrived)))
    else:
        budget.require(org, budget.by_bulk(counted))
        state = {"query": soql, "job": jobs.create(soql), "locator": "", "counted": counted, "whole": False}
        arrived = 0
        yield Checkpoint(state)
    jobs.wait(state["job"])
    while not state["whole"]:
        records, locator = jobs.page(state["job"], state["locator"])
        arrived += len(records)
        yield sobject.rows(records)
        state = {**state, "locator": locator, "whole": not locator}
        yield Checkpoint(state)
    return state["counted"], arrived


def states(org: Salesforce, name: str, counted: int, *, bulk: bool) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The fields `STATE` of every record of an object, those in the recycle bin too, in lists of bounded size."""
    soql = f"SELECT {', '.join(STATE)} FROM {name}"
    if not bulk:
        budget.require(org, budget.by_rest(counted))
        records = rest.records(org, f"{soql} ORDER BY Id")
        while part := list(islice(records, rest.ROWS_PER_PAGE)):
            yield part
        return
    budget.require(org, budget.by_bulk(counted))
    jobs = Bulk(org, name)
    job, locator = jobs.create(soql), ""
    jobs.wait(job)
    while True:
        found, locator = jobs.page(job, locator)
        yield found
        if not locator:
            return


def by_id(org: Salesforce, sobject: SObject, ids: Sequence[str]) -> Iterator[pa.Table]:
    """The records of these ids, those in the recycle bin too, at one call for each `IDS_PER_QUERY`."""
    budget.require(org, ceil(len(ids) / IDS_PER_QUERY))
    for start in range(0, len(ids), IDS_PER_QUERY):
        listed = ", ".join(f"'{one}'" for one in ids[start : start + IDS_PER_QUERY])
        soql = f"SELECT {', '.join(sobject.fields)} FROM {sobject.name} WHERE Id IN ({listed}) ORDER BY Id"
        if part := list(rest.records(org, soql)):
            yield sobject.rows(part)
