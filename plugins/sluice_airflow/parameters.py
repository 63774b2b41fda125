"""What a person may ask of a pipeline's run: the fields of Airflow's form, and how their values reach the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

if TYPE_CHECKING:
    from jobs.lake.registry import Pipeline

# As `jobs.lake.run.ACCEPTABLE`, which a plugin can't import; a test holds the two equal.
ACCEPTABLE = ("fewer_rows", "null_column")
MOMENT: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}


def form(pipeline: Pipeline) -> dict[str, Param]:
    """The fields of the form by which a person starts a run: those of the parameters that the pipeline's row names."""
    tables = [table.name for table in pipeline.built]
    fields = {
        "window": {
            "window_start": Param(None, **MOMENT, description="Read from this moment on"),
            "window_end": Param(None, **MOMENT, description="Read what lies before this moment"),
        },
        "tables": {
            "tables": Param(
                [], type="array", items={"type": "string", "enum": tables}, examples=tables,
                description="Tables to build; if you choose none, all are built",
            ),
        },
        "full_refresh": {
            "full_refresh": Param(False, type="boolean", description="Read the sources from their beginning"),
        },
        "accept": {
            "accept": Param(
                [], type="array", items={"enum": [*ACCEPTABLE]}, examples=[*ACCEPTABLE], title="accept damage",
                description="What looks like damage in a source, and is meant",
            ),
        },
    }  # fmt: skip
    return {name: field for parameter in pipeline.parameters for name, field in fields[parameter].items()}


def chosen_tables(pipeline: Pipeline) -> str:
    """A template of the tables that a person has limited the run to, separated by commas; empty means all."""
    return "{{ params.tables | join(',') }}" if "tables" in pipeline.parameters else ""


def source_arguments(pipeline: Pipeline) -> dict[str, str]:
    """Options of `run.py` for the steps that read a source, or what was read of it."""
    return {"--accept": "{{ params.accept | join(',') }}"} if "accept" in pipeline.parameters else {}
