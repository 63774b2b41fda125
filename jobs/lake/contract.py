"""The schema contract: a batch may bring new nullable columns; nothing else may change.

A column that suddenly holds nothing but nulls is as lost as a column that is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql.types import StructType

from jobs.lake.delta.column_nulls import Nulls
from jobs.lake.errors import SchemaContractError

# In a smaller batch, all rows may lack an optional value by chance.
SMALLEST_BATCH = 20
# A column that had a larger share of nulls before may well be null in a whole batch.
LARGEST_USUAL_SHARE = 0.05
WAY_ON = (
    "To do without a column on purpose, move its name from SCHEMA to RETIRED in the table's module: the table keeps "
    "it, and new rows have null there. To change its type, also give the column a new name in SCHEMA."
)


def new_columns(name: str, table: StructType, arriving: StructType, retired: Collection[str] = ()) -> list[str]:
    """The columns that a batch, or a module's SCHEMA, adds to the table.

    Args:
        name: of the table.
        table: its columns in the lake.
        arriving: the batch's columns, or the module's.
        retired: columns that may be gone: the table keeps them, and new rows have null there.

    Raises:
        SchemaContractError: a column is gone, or its type changed. The message names it and both types.
    """
    broken = []
    types = {field.name: field.dataType.simpleString() for field in arriving}
    for field in table:
        was, is_now = field.dataType.simpleString(), types.get(field.name)
        if is_now is None and field.name not in retired:
            broken.append(f"column {field.name} ({was}) is gone")
        elif is_now not in (None, was):
            broken.append(f"column {field.name} was {was} and is {is_now}")
    if broken:
        raise SchemaContractError(
            f"{name}: {'; '.join(broken)}. Nothing was written. Fix the source, or the table's module. {WAY_ON}"
        )
    return [field.name for field in arriving if field.name not in table.fieldNames()]


def sudden_nulls(name: str, rows: int, nulls: Mapping[str, int], before: Mapping[str, Sequence[Nulls]]) -> None:
    """Refuses a batch if a column that nearly always had a value is null in all of its rows.

    Once such a batch was accepted on purpose, later ones like it pass.

    Args:
        name: the table.
        rows: number of rows in the batch.
        nulls: number of nulls in each column of the batch.
        before: the nulls of each column in the table's newest batches (`column_nulls.newest`). A column that is
            missing here is not judged.

    Raises:
        SchemaContractError: the message names each such column, the batch's rows and the share of nulls before.
    """
    lost = []
    for column in (column for column, count in nulls.items() if count == rows >= SMALLEST_BATCH):
        known = before.get(column, ())
        total = sum(batch.rows for batch in known)
        share = sum(batch.nulls for batch in known) / total if total else 1.0
        seen = any(batch.nulls == batch.rows >= SMALLEST_BATCH for batch in known)
        if share <= LARGEST_USUAL_SHARE and not seen:
            lost.append(
                f"column {column} is null in all {rows} rows; of the newest {total} rows before, {share:.1%} were null"
            )
    if lost:
        raise SchemaContractError(
            f"{name}: {'; '.join(lost)}. Nothing was written. Fix the source; if this is intended, run again with "
            "`--accept null_column`."
        )
