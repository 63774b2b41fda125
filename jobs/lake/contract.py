"""The schema contract: a batch may bring new nullable columns; nothing else may change."""

from __future__ import annotations

from pyspark.sql.types import StructType

from jobs.lake.errors import SchemaContractError


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
