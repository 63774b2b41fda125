"""Salesforce accounts, deleted ones included, by SystemModstamp.

Small windows come by `queryAll` in pages; large ones by a Bulk 2.0 job. Every field is kept as text, so that
both ways give the same rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
import requests
from pyspark.sql.types import StringType, StructField, StructType
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.bulk2 import SFBulk2Handler
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from jobs.lake import ingest, secrets, session, settings, tables
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.lake.run import Run, Window
from jobs.lake.staging import Batches

# Salesforce's own advice: Bulk 2.0 from about this many records on.
BULK_FROM = 50_000
ROWS_PER_BATCH = 20_000
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
    "IsDeleted": "true when in the recycle bin",
}


def _column(field: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field).lstrip("_")


SCHEMA = StructType(
    [StructField(_column(field), StringType(), metadata={"comment": text}) for field, text in FIELDS.items()]
)
ARROW = pa.schema([(_column(field), pa.string()) for field in FIELDS])


def build(run: Run) -> None:
    """Ingests the window's accounts."""
    ingest.ingest(session.spark(run.step), run, tables.table(run.step), SCHEMA, extract)


def extract(window: Window) -> Batches:
    """Accounts whose SystemModstamp lies in the window, in batches.

    Raises:
        ConfigurationError: the secret is missing or the log-in is refused.
        TransientError: Salesforce can't be reached, or has no API calls left.
        DataError: there is not one account.
    """
    try:
        client = connect()
        where = _where(window)
        count = _count(client, where)
        if count == 0 and _count(client, "") == 0:
            raise DataError(
                "salesforce: there is not one Account. Nothing was written. Check the user's permission to read "
                "accounts, and that the secret names the right org."
            )
        rows = _bulk(client, where) if count >= BULK_FROM else _paged(client, where)
        for batch in _in_batches(rows):
            yield pa.Table.from_pylist(batch, ARROW)
        return {"source_rows": count}
    except LakeError:
        raise
    except (SalesforceError, requests.RequestException) as error:
        raise _translated(error) from error


def connect() -> Salesforce:
    """A logged-in client, by the secret `<project>/salesforce/credentials`."""
    secret = secrets.credentials("salesforce", ("username", "password", "security_token", "instance_url"))
    http = requests.Session()
    endpoint = settings.sources().salesforce
    if endpoint:
        http.mount("https://", _Endpoint(endpoint))
    domain = "test" if "test." in secret["instance_url"] or "sandbox" in secret["instance_url"] else "login"
    return Salesforce(
        username=secret["username"],
        password=secret["password"],
        security_token=secret["security_token"],
        domain=domain,
        session=http,
    )


class _Endpoint(HTTPAdapter):
    """Sends every request to one address: simple-salesforce builds https addresses and takes no endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._to = urlsplit(endpoint)
        super().__init__()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # passed through
        path = urlsplit(request.url or "")
        request.url = str(urlunsplit((self._to.scheme, self._to.netloc, path.path, path.query, path.fragment)))
        return super().send(request, **options)


def _where(window: Window) -> str:
    bounds = [f"SystemModstamp < {window.end:%Y-%m-%dT%H:%M:%SZ}"]
    if window.start:
        bounds.insert(0, f"SystemModstamp >= {window.start:%Y-%m-%dT%H:%M:%SZ}")
    return f" WHERE {' AND '.join(bounds)}"


def _count(client: Salesforce, where: str) -> int:
    return int(client.query(f"SELECT COUNT() FROM Account{where}", include_deleted=True)["totalSize"])


def _paged(client: Salesforce, where: str) -> Iterator[dict[str, Any]]:
    soql = f"SELECT {', '.join(FIELDS)} FROM Account{where} ORDER BY SystemModstamp, Id"
    yield from client.query_all_iter(soql, include_deleted=True)


def _bulk(client: Salesforce, where: str) -> Iterator[dict[str, Any]]:
    soql = f"SELECT {', '.join(FIELDS)} FROM Account{where}"
    # The client declares three types for what is always this one.
    handler = cast(SFBulk2Handler, client.bulk2)
    for part in handler.Account.query_all(soql, max_records=ROWS_PER_BATCH):
        yield from csv.DictReader(io.StringIO(part))


def _in_batches(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, str | None]]]:
    batch: list[dict[str, str | None]] = []
    for record in records:
        batch.append({_column(field): _text(record[field]) for field in FIELDS})
        if len(batch) == ROWS_PER_BATCH:
            yield batch
            batch = []
    yield batch


def _text(value: Any) -> str | None:
    """JSON and CSV give the same text: no value is null, booleans are lower case."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _translated(error: Exception) -> LakeError:
    # An org that is down answers its log-in with 503, which the client reports as a failed log-in.
    if isinstance(error, SalesforceAuthenticationFailed) and error.code != 503:
        return ConfigurationError(
            f"salesforce: log-in refused ({error.code}). Nothing was written. Check username, password and "
            "security token in the secret <project>/salesforce/credentials."
        )
    if isinstance(error, SalesforceError) and error.status == 400:
        return DataError(f"salesforce: the query was refused ({_reason(error)}). Nothing was written.")
    reason = _reason(error) if isinstance(error, SalesforceError) else type(error).__name__
    return TransientError(
        f"salesforce: can't be read ({reason}). Nothing was written. It is tried again; if it stays so, check "
        "Salesforce's status page and the org's API limits."
    )


def _reason(error: SalesforceError) -> str:
    content = error.content
    entry = content[0] if isinstance(content, list) and content else content
    return f"{entry.get('errorCode')}: {entry.get('message')}" if isinstance(entry, dict) else str(error.status)
