"""A table's module, and what the kernel expects in it. Anything that is missing is reported before data is read.

| layer | the module has |
|---|---|
| bronze, batches | `SCHEMA`, `extract` |
| bronze, continuous | `SCHEMA`, and what its source system needs: `jobs/sources/<system>/stream.py` |
| silver | `SCHEMA`, `READERS`: for each table in `depends_on` the function from its rows to this table's |
| gold | `SCHEMA`, `compute`; `affected` only if computing the whole table costs too much |
| any | `RETIRED`, if columns left its SCHEMA: their names; the table keeps them, and new rows have null there |
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from pyspark.sql.types import DateType, NumericType, StringType, StructType, TimestampNTZType, TimestampType

from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import Table
from jobs.lake.schema import CLASSES

WITH_STATISTICS = 32  # Delta's default: of the first columns
COMPARED = (StringType, NumericType, DateType, TimestampType)


def load(table: Table) -> ModuleType:
    """The table's module.

    Raises:
        ConfigurationError: it is missing, or lacks something that the kernel expects.
    """
    try:
        module = import_module(table.module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{table.module}.".startswith(f"{error.name}."):
            raise
        raise ConfigurationError(f"{table.name} has no module: write {table.module.replace('.', '/')}.py") from None
    if faults := list(_faults(table, module)):
        raise ConfigurationError(f"{table.module.replace('.', '/')}.py: {'; '.join(faults)}")
    return module


def retired(table: Table) -> tuple[str, ...]:
    """The columns that left the table's SCHEMA on purpose."""
    return tuple(getattr(load(table), "RETIRED", ()))


def has_statistics(schema: StructType, name: str) -> bool:
    """Whether Delta keeps each file's smallest and largest value of a column, by which readers skip files."""
    return schema.names.index(name) < WITH_STATISTICS and isinstance(schema[name].dataType, COMPARED)


def _faults(table: Table, module: ModuleType) -> Iterable[str]:
    schema = getattr(module, "SCHEMA", None)
    if not isinstance(schema, StructType) or not len(schema):
        yield "SCHEMA is missing: a StructType of columns"
        return
    for field in schema:
        if not field.metadata.get("comment") or field.metadata.get("class") not in CLASSES:
            yield f"column {field.name} has no comment or class: make it with `jobs.lake.schema.column`"
        if isinstance(field.dataType, TimestampNTZType):  # Athena reads Delta at reader version 1
            yield f"column {field.name} is a time without a zone: use TimestampType"
    names = getattr(module, "RETIRED", ())
    if not isinstance(names, tuple) or not set(names).isdisjoint(schema.names):
        yield "RETIRED is a tuple of names that SCHEMA does not have"
    for name in dict.fromkeys((*table.keys, *table.order_by, *table.zorder_by, *filter(None, [table.partition_by]))):
        if name not in schema.names:
            yield f"SCHEMA has no column {name}, which the registry names"
    if table.partition_by in schema.names and schema[str(table.partition_by)].dataType != StringType():
        yield f"the partition column {table.partition_by} is not text: use StringType"
    for name in table.zorder_by:
        if name in schema.names and not has_statistics(schema, name):
            yield f"zorder_by names {name}, of which Delta keeps no statistics: move it up, or choose another"
    if table.layer == "silver" and set(getattr(module, "READERS", ())) != set(table.depends_on):
        found = sorted(getattr(module, "READERS", ()))
        yield f"READERS are for {found}, but the registry names {sorted(table.depends_on)}"
    if table.layer == "bronze" and not table.continuous and not callable(getattr(module, "extract", None)):
        yield "extract is missing"
    if table.layer == "gold" and not callable(getattr(module, "compute", None)):
        yield "compute is missing"
