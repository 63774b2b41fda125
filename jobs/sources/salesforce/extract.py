"""Reads a Salesforce object by SystemModstamp, deleted records included.

Small windows come by `queryAll` in pages; large ones by a Bulk 2.0 job.
"""

from __future__ import annotations

from jobs.lake.errors import DataError
from jobs.lake.extract import Request, SourceRows
from jobs.lake.run import Window
from jobs.sources.salesforce import bulk, client, reading, reconcile, rest
from jobs.sources.salesforce.sobject import SObject

ROWS_PER_PART = 20_000


def read(sobject: SObject, request: Request) -> SourceRows:
    """Records whose SystemModstamp lies in the window, in parts of at most `ROWS_PER_PART` rows.

    Unless a backfill asks, it adds one row for each record that bronze knows and Salesforce no longer has, and reads
    by id each one that came into sight with a time that was read past (`reconcile.differences` says what that costs).
    Besides the read it costs a description, a count and a look at the org's limits.

    Returns:
        Facts: `source_rows`, the window's rows as Salesforce counted them at the start; `arrived_rows`, those that
        arrived; `hard_deleted`, the rows added for records that are gone; and `read_by_id`, if any, the records that
        came into sight. All but the first together are staged.

    Raises:
        ConfigurationError: the secret is missing or the log-in is refused.
        SchemaContractError: a field is missing, or of another kind than the module says.
        TransientError: Salesforce can't be reached, or has too few API calls left.
        DataError: there is not one record, fewer arrived than counted, or too many are gone.
    """
    window = request.window
    with client.named_errors():
        org = client.connect()
        rest.check_fields(org, sobject)
        where = _where(window)
        counted = rest.count(org, sobject.name, where)
        if counted == 0 and rest.count(org, sobject.name, "") == 0:
            raise DataError(
                f"salesforce: there is not one {sobject.name}. Nothing was written. Check the user's permission to "
                "read it, and that the secret names the right org."
            )
        soql = f"SELECT {', '.join(sobject.fields)} FROM {sobject.name}{where}"
        if counted >= bulk.FROM_ROWS:
            rows = reading.by_bulk(org, sobject, soql, counted, request)
        else:
            in_order = f"{soql} ORDER BY SystemModstamp, Id"
            rows = reading.by_rest(org, sobject, in_order, counted, rows_per_part=ROWS_PER_PART)
        counted, arrived = yield from rows
        # A record that changed since it was counted may have left the window: the second count shows it.
        if arrived < counted and arrived < (again := rest.count(org, sobject.name, where)):
            raise DataError(
                f"salesforce: {counted} records of {sobject.name} were counted in the window before the read and "
                f"{again} after it, but {arrived} arrived. Nothing was written. Run again; if it keeps failing, "
                "compare the window with a report in Salesforce."
            )
        facts = {"source_rows": counted, "arrived_rows": arrived, "hard_deleted": 0}
        # A backfill reads a past window: what exists today says nothing about it.
        if not request.exact:
            found = reconcile.differences(org, sobject, request)
            facts["hard_deleted"] = found.gone.num_rows
            for start in range(0, found.gone.num_rows, ROWS_PER_PART):
                yield found.gone.slice(start, ROWS_PER_PART)
            if found.unread:
                facts["read_by_id"] = 0
                for part in reading.by_id(org, sobject, found.unread):
                    facts["read_by_id"] += part.num_rows
                    yield part
                print(f"{request.table.name}: {facts['read_by_id']} records came into sight with an old time")
        return facts


def _where(window: Window) -> str:
    bounds = [f"SystemModstamp < {window.end:%Y-%m-%dT%H:%M:%SZ}"]
    if window.start:
        bounds.insert(0, f"SystemModstamp >= {window.start:%Y-%m-%dT%H:%M:%SZ}")
    return f" WHERE {' AND '.join(bounds)}"
