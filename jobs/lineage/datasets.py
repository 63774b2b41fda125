"""Tables as OpenLineage's datasets: which version, which columns, and where each key comes from.

A dataset is named as Airflow names the asset of the same table: namespace `s3://<bucket>`, name `silver/orders`. Its
symlink is the name in Glue. What a source system has is namespace `<system>`, name `<object>`, as the registry says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    documentation_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    symlinks_dataset,
)

from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.commit import Commit
from jobs.lake.registry import Table


def name(table: str) -> tuple[str, str]:
    """Namespace and name of a table of the lake."""
    return settings.lake().root, table.replace(".", "/")


def read(table: str, version: int, rows: int | None = None, judged: Sequence[Mapping[str, Any]] = ()) -> InputDataset:
    """A version that a step read.

    Args:
        table: `<layer>.<table>`.
        version: of it.
        rows: how many of its rows were read; None if that is not known.
        judged: what a gate said of it: the entries of `ops.dq_results.results`.
    """
    namespace, own = name(table)
    inputs: dict[str, InputDatasetFacet] = {}
    if rows is not None:
        inputs["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows)
    if judged:
        inputs["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            [_assertion(entry) for entry in judged]
        )
    return InputDataset(namespace=namespace, name=own, facets=_facets(table, version), inputFacets=inputs)


def source(table: Table, rows: int | None) -> InputDataset:
    """What a bronze table was read from."""
    statistics = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows)
    system, _, thing = (table.source or "").partition("/")
    return InputDataset(namespace=system, name=thing, inputFacets={"inputStatistics": statistics} if rows else {})


def written(table: str, commit: Commit) -> OutputDataset:
    """The version that a commit made."""
    namespace, own = name(table)
    counts = commit.counts
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=counts.written if counts else None, size=commit.bytes_written
    )
    facets = {**_facets(table, commit.version), "schema": _columns(table, commit.version)}
    known = {each.name: each for each in tables.every()}
    if table in known:
        facets |= _described(known[table])
    return OutputDataset(namespace=namespace, name=own, facets=facets, outputFacets={"outputStatistics": statistics})


def _columns(table: str, version: int) -> schema_dataset.SchemaDatasetFacet:
    found = log.open_table(settings.lake().uri(table), version)
    return schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(
                name=field.name, type=_type(field.type), description=field.metadata.get("comment")
            )
            for field in (found.schema().fields if found else [])
        ]
    )


def _type(type_: Any) -> str:
    """`decimal(18,2)`; of a nested type its kind."""
    return str(type_.type)


def _facets(table: str, version: int) -> dict[str, DatasetFacet]:
    identifier = symlinks_dataset.Identifier(namespace="glue", name=table, type="TABLE")
    return {
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version)),
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(identifiers=[identifier]),
    }


def _described(table: Table) -> dict[str, DatasetFacet]:
    owner = ownership_dataset.Owner(name=table.owner, type="OWNER")
    found: dict[str, DatasetFacet] = {
        "documentation": documentation_dataset.DocumentationDatasetFacet(description=table.description),
        "ownership": ownership_dataset.OwnershipDatasetFacet(owners=[owner]),
    }
    if keys := _keys(table):
        found["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(fields=keys)
    return found


def _keys(table: Table) -> dict[str, column_lineage_dataset.Fields]:
    """Gold: the columns that its keys come from, as the registry says. What `compute` does is not known by column."""
    if table.layer != "gold":
        return {}
    return {
        key: column_lineage_dataset.Fields(
            inputFields=[
                column_lineage_dataset.InputField(*name(of), field=columns[index]) for of, *columns in table.key_sources
            ]
        )
        for index, key in enumerate(table.keys)
    }


def _assertion(entry: Mapping[str, Any]) -> data_quality_assertions_dataset.Assertion:
    """A rule and whether it held. `error` stops gold, as a critical rule does."""
    severity = "error" if entry["severity"] == "critical" else "warn"
    return data_quality_assertions_dataset.Assertion(entry["rule"], bool(entry["success"]), severity=severity)
