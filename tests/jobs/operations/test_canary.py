"""A deployment's canary: it loads all code, and one row of it reaches the lake and the catalog."""

from __future__ import annotations

import boto3
import pytest
from pyspark.sql import SparkSession

from jobs import run as run_py
from jobs.catalog import entry, register_glue_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import settings
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.operations import canary


def test_the_last_run_is_the_only_row_and_is_registered(spark: SparkSession, lake: str) -> None:
    for run_id, release in (("deploy__1", "aaaa"), ("deploy__2", "bbbb")):
        run_py.perform(Run(run_id, "canary", code=release))
    rows = spark.read.format("delta").load(settings.lake().uri(canary.TABLE)).collect()
    assert [(row["run_id"], row["release"]) for row in rows] == [("deploy__2", "bbbb")]
    listed = boto3.client("glue").get_table(DatabaseName="ops", Name="canary")["Table"]
    assert [column["Name"] for column in listed["StorageDescriptor"]["Columns"]] == ["run_id", "release", "written_at"]
    assert listed["StorageDescriptor"]["Location"] == settings.lake().uri(canary.TABLE)


def test_registration_of_the_pipelines_does_not_look_at_its_table(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role of `register` may not read it."""
    catalog = Catalog(boto3.client("glue"), lake)
    catalog.put(canary.TABLE, entry.of_delta("canary", "x", "x", settings.lake().uri(canary.TABLE), {"fields": []}))
    monkeypatch.setattr("jobs.catalog.catalog.log.open_table", lambda uri: pytest.fail(f"{uri} was opened"))
    assert register_glue_tables.unlisted(catalog, ("ops",)) == []


@pytest.mark.parametrize("broken", ["dq.run_ge_checks", "jobs.gold.fact_orders", "jobs.sources.kafka.stream"])
def test_code_that_can_not_be_loaded_is_named_and_nothing_is_written(
    broken: str, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = canary.import_module

    def planted(name: str) -> object:
        if name == broken:
            raise NameError(f"name 'typo' is not defined in {name}")
        return real(name)

    monkeypatch.setattr(canary, "import_module", planted)
    monkeypatch.setattr("jobs.lake.table_module.import_module", planted)
    with pytest.raises(NameError, match=broken):
        run_py.perform(Run("deploy__3", "canary"))


def test_suite_that_is_no_suite_is_refused(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ConfigurationError(f"the suite of {name} is not YAML")

    monkeypatch.setattr("dq.suite.load", refuse)
    with pytest.raises(ConfigurationError, match=r"suite of silver\.fx_rates"):
        run_py.perform(Run("deploy__4", "canary"))
