"""Salesforce accounts, deleted ones included, by SystemModstamp.

Small windows come by `queryAll` in pages; large ones by a Bulk 2.0 job. Every field is kept as text, so that
both ways give the same rows.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql.types import StringType, StructField, StructType

from jobs.lake import ingest, session, tables
from jobs.lake.errors import DataError
from jobs.lake.run import Run, Window
from jobs.lake.staging import Batches
from jobs.sources.salesforce import bulk, client, reading, reconcile, rest

TABLE = tables.table("bronze.salesforce_accounts")
ROWS_PER_PART = 20_000
FIELDS = {
    "Id": "Salesforce record id",
    "AccountNumber": "number that orders carry as customer id",
    "Name": "account name",
    "Type": "account type",
    "Industry": "industry",
    "BillingCountry": "country of the billing address",
    "AnnualRevenue": "annual revenue, US dollars",
    "NumberOfEmployees": "employees",
    "CreatedDate": "when created, UTC",
    "LastModifiedDate": "when a user last changed it, UTC",
    "SystemModstamp": "when anything last changed it, UTC",
    "IsDeleted": "true when in the recycle bin, or gone for good",
}


def _column(field: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field).lstrip("_")


SCHEMA = StructType(
    [StructField(_column(field), StringType(), metadata={"comment": text}) for field, text in FIELDS.items()]
)
ARROW = pa.schema([(_column(field), pa.string()) for field in FIELDS])


def build(run: Run) -> None:
    """Ingests the window's accounts; scheduled runs also look for accounts that were deleted for good."""
    # A backfill reads a past window: what is there today says nothing about it.
    read = partial(extract, find_deleted=not run.exact, accept=run.accept)
    ingest.ingest(session.spark(run.step), run, TABLE, SCHEMA, read)


def extract(window: Window, *, find_deleted: bool = False, accept: Collection[str] = ()) -> Batches:
    """Accounts whose SystemModstamp lies in the window, in parts of at most `ROWS_PER_PART` rows.

    Costs, beside the read, a description, a count and a look at the org's limits.

    Args:
        window: of SystemModstamp.
        find_deleted: also give a row for each account that bronze knows and Salesforce no longer has
            (`reconcile.tombstones`, which says what that costs).
        accept: with `fewer_rows` a great loss of accounts is taken as meant.

    Returns:
        Facts: `source_rows`, the window's rows as Salesforce counted them at the start; `arrived_rows`, those that
        arrived, and `hard_deleted`, the rows added for accounts that are gone: together they are what is staged.

    Raises:
        ConfigurationError: the secret is missing or the log-in is refused.
        SchemaContractError: a field is missing.
        TransientError: Salesforce can't be reached, or has too few API calls left.
        DataError: there is not one account, fewer arrived than counted, or too many are gone.
    """
    with client.named_errors():
        org = client.connect()
        rest.check_fields(org, FIELDS)
        where = _where(window)
        counted = rest.count(org, where)
        if counted == 0 and rest.count(org, "") == 0:
            raise DataError(
                "salesforce: there is not one Account. Nothing was written. Check the user's permission to read "
                "accounts, and that the secret names the right org."
            )
        soql = f"SELECT {', '.join(FIELDS)} FROM Account{where}"
        if counted >= bulk.FROM_ROWS:
            read = reading.by_bulk(org, soql, counted, _conform, TABLE, window.batch_id)
        else:
            in_order = f"{soql} ORDER BY SystemModstamp, Id"
            read = reading.by_rest(org, in_order, counted, _conform, rows_per_part=ROWS_PER_PART)
        counted, arrived = yield from read
        # A record that changed since it was counted may have left the window: the second count knows.
        if arrived < counted and arrived < (again := rest.count(org, where)):
            raise DataError(
                f"salesforce: {counted} accounts were counted in the window before the read and {again} after it, "
                f"but {arrived} arrived. Nothing was written. Run again; if it stays so, compare the window with a "
                "report in Salesforce."
            )
        gone = 0
        if find_deleted:
            rows = reconcile.tombstones(org, TABLE, window, ARROW, accept=accept)
            gone = rows.num_rows
            for start in range(0, gone, ROWS_PER_PART):
                yield rows.slice(start, ROWS_PER_PART)
        return {"source_rows": counted, "arrived_rows": arrived, "hard_deleted": gone}


def _where(window: Window) -> str:
    bounds = [f"SystemModstamp < {window.end:%Y-%m-%dT%H:%M:%SZ}"]
    if window.start:
        bounds.insert(0, f"SystemModstamp >= {window.start:%Y-%m-%dT%H:%M:%SZ}")
    return f" WHERE {' AND '.join(bounds)}"


def _conform(records: list[dict[str, Any]]) -> pa.Table:
    rows = [{_column(field): _text(record[field]) for field in FIELDS} for record in records]
    return pa.Table.from_pylist(rows, ARROW)


def _text(value: Any) -> str | None:
    """JSON and CSV give the same text: no value is null, booleans are lower case."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
