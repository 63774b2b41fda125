"""Each step finds its module."""

from __future__ import annotations

from importlib import import_module

import pytest

from dq import run_ge_checks
from jobs import steps
from jobs.catalog import register_glue_tables
from jobs.lake import tables
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import Table
from jobs.lake.run import Run


@pytest.mark.parametrize("table", [t for t in tables.every() if not t.written_with], ids=lambda table: table.name)
def test_tables_step_builds_the_table(monkeypatch: pytest.MonkeyPatch, table: Table) -> None:
    built: list[Run] = []
    monkeypatch.setattr(import_module(table.module), "build", built.append)
    run = Run("r1", table.name)

    steps.perform(run)

    assert built == [run]


def test_gate_and_register_are_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(run_ge_checks, "gate", done.append)
    monkeypatch.setattr(register_glue_tables, "register_all", lambda run: done.append("registered"))

    steps.perform(Run("r1", "gate"))
    steps.perform(Run("r1", "register"))

    assert done == [Run("r1", "gate"), "registered"]


def test_table_that_another_step_writes_has_no_step() -> None:
    with pytest.raises(ConfigurationError, match=r"no step 'bronze\.orders_dlq'"):
        steps.perform(Run("r1", "bronze.orders_dlq"))


@pytest.mark.parametrize("name", [name for name in steps.STEPS if name.startswith(("dlq.", "stream.", "quarantine."))])
def test_operation_is_there(name: str) -> None:
    module, _, function = steps.STEPS[name].partition(":")
    assert callable(getattr(import_module(module), function))


def test_unknown_step_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no step 'gold'; there are bronze\.fx_rates, .*, register, "):
        steps.perform(Run("r1", "gold"))
