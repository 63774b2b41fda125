"""Registers the lake's tables in the Glue catalog, from their Delta logs: no Spark.

`python -m jobs.catalog.register_glue_tables --db silver --lake-bucket B --region R`

Athena reads a Delta table's schema from its log, but views, DESCRIBE and Lake Formation read Glue's columns. So every
run makes both equal again, and reports where they differed. What others have put into an entry stays.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import boto3

from jobs.catalog import earlier_objects, ops_tables, ops_views
from jobs.catalog.catalog import Catalog, is_warning
from jobs.lake import errors, settings, tables
from jobs.lake.registry import LAYERS as LAKE_LAYERS
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import history

LAYERS = (*LAKE_LAYERS, "quarantine", "ops")


def register(run: Run) -> None:
    """Registers the ops tables, and the tables of the pipeline that the run names; of all pipelines if it names none.

    Raises:
        ConfigurationError: there is no such pipeline.
    """
    if run.subject not in ("", *(pipeline.name for pipeline in tables.PIPELINES)):
        known = ", ".join(pipeline.name for pipeline in tables.PIPELINES)
        raise errors.ConfigurationError(f"no pipeline {run.subject!r}; there are {known}")
    chosen = [pipeline for pipeline in tables.PIPELINES if run.subject in ("", pipeline.name)]
    catalog, of = _catalog(), [table for pipeline in chosen for table in pipeline.tables]
    print("\n".join([*register_layers(catalog, LAYERS, of), *unlisted(catalog, LAYERS)]), flush=True)


def register_layers(catalog: Catalog, layers: Iterable[str], of: Iterable[Table]) -> list[str]:
    """Registers those of these tables that the lake has, layer by layer; returns a line for each.

    The quarantine of a silver table belongs to the layer `quarantine`; `ops` has tables of its own.
    """
    lines: list[str | None] = []
    for layer in layers:
        if layer == "ops":
            for table in ops_tables.TABLES:
                lines.append(earlier_objects.move(catalog.bucket, table.folder))
                lines += ops_views.register(catalog, table)
        if layer == "quarantine":
            held = [
                (f"quarantine.{t.short}", f"Rows kept out of {t.name}.", t.owner) for t in of if t.layer == "silver"
            ]
            lines += [catalog.register(*named) for named in held]
        lines += [catalog.register(t.name, t.description, t.owner) for t in of if t.layer == layer]
    return [line for line in lines if line]


def unlisted(catalog: Catalog, layers: Iterable[str]) -> list[str]:
    """A warning for each entry of these layers that is in no registry, and whose table the lake has lost."""
    known = {name for t in tables.every() for name in (t.name, f"quarantine.{t.short}")}
    known |= {history.name(table.name) for table in ops_tables.TABLES}  # whose registration tells it
    known.add(ops_tables.CANARY)  # the canary's own role alone may read it
    return [line for layer in layers for line in catalog.lost(layer, known)]


def register_tables(wanted: Iterable[Table]) -> list[str]:
    """Registers those of these tables that this process's lake has; returns a line for each."""
    return register_layers(_catalog(), LAKE_LAYERS, list(wanted))


def _catalog() -> Catalog:
    return Catalog(boto3.client("glue"), settings.lake().bucket)


def main(arguments: list[str]) -> int:
    """The command line; exit code 1 when the lake has no table of the layer."""
    parser = argparse.ArgumentParser(prog="register_glue_tables", description=__doc__)
    parser.add_argument("--db", required=True, choices=LAYERS, help="layer, which is also the Glue database")
    parser.add_argument("--lake-bucket", required=True)
    parser.add_argument("--region", required=True)
    given = parser.parse_args(arguments)
    try:
        catalog = Catalog(boto3.client("glue", region_name=given.region), given.lake_bucket)
        lines = [*register_layers(catalog, (given.db,), tables.every()), *unlisted(catalog, (given.db,))]
    except Exception as error:
        code, line = errors.report(error)
        print(line, file=sys.stderr)
        return code
    if lines:
        print("\n".join(lines))
    if all(map(is_warning, lines)):
        print(f"s3://{given.lake_bucket}/{given.db}/ holds no Delta table: run the pipeline first", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
