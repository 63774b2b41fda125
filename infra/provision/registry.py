"""What Terraform has to know of the code's registry: names, so that a new table or DAG needs no change in Terraform."""

from __future__ import annotations

from pathlib import Path

from jobs.catalog.register_glue_tables import LAYERS
from jobs.lake import tables

DAGS = Path(__file__).resolve().parents[2] / "dags"


def facts() -> dict[str, list[str]]:
    """The variable `registry` of infra/terraform.

    `watched_tables` are those whose age the watcher of a stream sends: `StreamWatchOperator.tables`.
    """
    streamed = [table for table in tables.every() if table.continuous]
    refreshed = [table for pipeline in tables.PIPELINES if pipeline.continuous for table in pipeline.refreshed]
    return {
        "layers": list(LAYERS),
        "dags": sorted(file.stem for file in DAGS.glob("*.py")),
        "pipelines": [pipeline.name for pipeline in tables.PIPELINES],
        "silver_tables": [table.name for table in tables.layer("silver")],
        "streamed_tables": [table.name for table in streamed if table.written_with is None],
        "watched_tables": [table.name for table in (*streamed, *refreshed)],
    }
