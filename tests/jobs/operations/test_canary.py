"""A deployment's canary: it loads all code, and one row of it reaches the lake and the catalog."""

from __future__ import annotations

import boto3
import pytest
from pyspark.sql import SparkSession

from jobs import run as run_py
from jobs.lake import settings
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.operations import canary


def test_the_last_run_is_the_only_row_and_is_registered(spark: SparkSession, lake: str) -> None:
    for run_id, release in (("deploy__1", "aaaa"), ("deploy__2", "bbbb")):
        run_py.perform(Run(run_id, "canary", code=release))
    rows = spark.read.format("delta").load(settings.lake().uri(canary.TABLE)).collect()
    assert [(row["run_id"], row["release"]) for row in rows] == [("deploy__2", "bbbb")]
    entry = boto3.client("glue").get_table(DatabaseName="ops", Name="canary")["Table"]
    assert [column["Name"] for column in entry["StorageDescriptor"]["Columns"]] == ["run_id", "release", "written_at"]
    assert entry["StorageDescriptor"]["Location"] == settings.lake().uri(canary.TABLE)


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
