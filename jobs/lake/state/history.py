"""Records that housekeeping has folded: those of old days lie in a Delta table, and not in an object each.

Every commit leaves a record in the ledger, and every gate a result. `maintenance.fold_history` takes the days that are
older than `KEPT` into `<kind>_history`. Which days these are is read from the table: all up to its newest one. So the
table and what is known of it can't disagree, whatever was killed or restored.

A folded day gets no more objects: a record that is written so late goes to the folder of the day on which it is
written. The two days between `LATE` and `KEPT` leave room for clocks and for writers that stand still.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.retention import BATCHES
from jobs.lake.errors import SchemaContractError

KEPT = timedelta(days=7)
LATE = timedelta(days=5)
MONTH = "month"  # partition column, YYYY-MM
KEY, CONTENT = "object_key", "content"  # the object that a row was, and its line
# Of the other columns the log keeps no smallest and largest value: nobody asks for them by range.
_PROPERTIES = {"delta.dataSkippingStatsColumns": "day,table_name", **BATCHES.properties()}


def name(kind: str) -> str:
    """The table of a kind of records: `ops.run_ledger` -> `ops.run_ledger_history`."""
    return f"{kind}_history"


def is_late(moment: datetime) -> bool:
    """Whether a record of this moment may no longer go to its own day."""
    return datetime.now(UTC).date() - moment.astimezone(UTC).date() > LATE


def first_open(uri: str) -> str | None:
    """The first day that is not folded, `YYYY-MM-DD`; None when none is folded."""
    found = log.open_table(uri)
    actions = None if found is None else pa.table(found.get_add_actions(flatten=True))
    days = [] if actions is None or not actions.num_rows else actions.column("max.day").to_pylist()
    return (date.fromisoformat(max(days)) + timedelta(days=1)).isoformat() if days else None


def lines(kind: str, table: str) -> list[str]:
    """The folded records about one table, each as the line of JSON that it was."""
    found = log.dataset(settings.lake().uri(name(kind)))
    if found is None:
        return []
    about = found.to_table(columns=[CONTENT], filter=ds.field("table_name") == table)
    return [str(line) for line in about[CONTENT].to_pylist()]


def create(uri: str, schema: Schema, description: str) -> None:
    """Creates a table, unless another was quicker."""
    try:
        DeltaTable.create(
            uri,
            schema,
            partition_by=[MONTH],
            description=description,
            configuration=_PROPERTIES,
            storage_options=settings.storage_options(),
        )
    except DeltaError:
        if log.open_table(uri) is None:
            raise


def add_columns(found: DeltaTable, schema: Schema) -> None:
    """Gives a table the columns that it lacks.

    Raises:
        SchemaContractError: a column has another type there.
    """
    present = {field.name: field for field in found.schema().fields}
    for field in schema.fields:
        if field.name in present and present[field.name].type != field.type:
            raise SchemaContractError(
                f"{found.table_uri}: column {field.name} is {present[field.name].type}, and records have {field.type}. "
                "Give the column another name."
            )
    if lacking := [field for field in schema.fields if field.name not in present]:
        found.alter.add_columns(lacking)
