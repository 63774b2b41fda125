from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.lake import registry
from jobs.lake.run import ACCEPTABLE
from jobs.lake.tables import PIPELINES
from sluice_airflow import parameters
from sluice_airflow.run_window import RunWindow
from tests.plugins.sluice_airflow.test_run_window import run

PIPELINE = PIPELINES[0]


def test_form_offers_the_damage_that_a_job_accepts() -> None:
    assert parameters.ACCEPTABLE == ACCEPTABLE


@pytest.mark.parametrize("parameter", registry.PARAMETERS)
def test_every_parameter_of_the_registry_has_fields_of_its_own(parameter: str) -> None:
    mine = parameters.form(replace(PIPELINE, parameters=(parameter,)))
    others = parameters.form(replace(PIPELINE, parameters=tuple(set(registry.PARAMETERS) - {parameter})))
    assert mine
    assert not mine.keys() & others.keys()
    assert all(field.description for field in mine.values())


def test_run_without_parameters_reads_its_interval_of_all_tables() -> None:
    plain = replace(PIPELINE, parameters=())
    assert parameters.form(plain) == {}
    assert (parameters.chosen_tables(plain), parameters.source_arguments(plain)) == ("", {})
    assert not RunWindow.of(run("scheduled"), {}).exact


def test_window_of_a_run_comes_from_the_fields_of_the_form() -> None:
    fields = parameters.form(replace(PIPELINE, parameters=("window", "full_refresh")))
    assert list(fields) == ["window_start", "window_end", "full_refresh"]
    values = {name: field.resolve() for name, field in fields.items()}
    window = RunWindow.of(run("manual"), {**values, "window_start": "2026-11-01", "window_end": "2026-11-02"})
    assert window.exact
    assert not window.full_refresh
