"""The schema contract: a batch may bring new nullable columns; nothing else may change.

A column that is there in name but null throughout, all at once, is as lost as one that is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql.types import StructType

from jobs.lake.delta.column_nulls import Nulls
from jobs.lake.errors import SchemaContractError

# Of fewer rows, all may lack a value that is optional.
SMALLEST_BATCH = 20
# A column of which more was null before may well be null in a whole batch.
LARGEST_USUAL_SHARE = 0.05


def new_columns(name: str, table: StructType, batch: StructType) -> list[str]:
    """Columns that the batch adds to the table.

    Raises:
        SchemaContractError: a column has another type, or is gone. The message names it and both types.
    """
    broken = []
    arriving = {field.name: field for field in batch}
    for field in table:
        if field.name not in arriving:
            broken.append(f"column {field.name} ({field.dataType.simpleString()}) is gone")
        elif arriving[field.name].dataType != field.dataType:
            is_now = arriving[field.name].dataType.simpleString()
            broken.append(f"column {field.name} was {field.dataType.simpleString()} and is {is_now}")
    if broken:
        raise SchemaContractError(
            f"{name}: {'; '.join(broken)}. Nothing was written. Mend the source, or change the table's schema "
            "and rebuild it on purpose."
        )
    return [field.name for field in batch if field.name not in table.fieldNames()]


def sudden_nulls(name: str, rows: int, nulls: Mapping[str, int], before: Mapping[str, Sequence[Nulls]]) -> None:
    """Refuses a batch in which a column that nearly always had a value has none.

    Once such a batch was taken on purpose, the next ones are nothing new.

    Args:
        name: the table.
        rows: in the batch.
        nulls: nulls of each column of the batch.
        before: what the table's newest batches have in each column (`column_nulls.newest`); columns that are not
            in it are not judged.

    Raises:
        SchemaContractError: names each such column, the batch's rows and the share of nulls before.
    """
    lost = []
    for column in (column for column, count in nulls.items() if count == rows >= SMALLEST_BATCH):
        known = before.get(column, ())
        total = sum(batch.rows for batch in known)
        share = sum(batch.nulls for batch in known) / total if total else 1.0
        seen = any(batch.nulls == batch.rows >= SMALLEST_BATCH for batch in known)
        if share <= LARGEST_USUAL_SHARE and not seen:
            lost.append(
                f"column {column} is null in all {rows} rows, in the newest {total} before it was in {share:.1%}"
            )
    if lost:
        raise SchemaContractError(
            f"{name}: {'; '.join(lost)}. Nothing was written. Mend the source; if it is meant, run again with "
            "`--accept null_column`."
        )
