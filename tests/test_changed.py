"""Which tests `make check` runs for a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.changed import OF_DOCS, OF_THE_MAKEFILE, chosen

FILES = (
    "tests/jobs/silver/test_orders.py",
    "tests/jobs/silver/test_orders_sources.py",
    "tests/jobs/silver/test_orders.txt",
    "tests/jobs/silver/test_fx_rates.py",
    "tests/jobs/test_run.py",
    "tests/dq/test_suite.py",
    "tests/plugins/test_upgrade.py",
    "tests/test_imports.py",
)


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("jobs/silver/orders.py", ["tests/jobs/silver/test_orders.py", "tests/jobs/silver/test_orders_sources.py"]),
        ("jobs/silver/fx_rates.py", ["tests/jobs/silver/test_fx_rates.py"]),
        ("jobs/run.py", ["tests/jobs/test_run.py"]),
        # no test is named after it: those of its folder, or of the nearest that has some
        ("dq/validate.py", ["tests/dq/test_suite.py"]),
        ("jobs/sources/kafka/topic.py", ["tests/jobs/test_run.py"]),
        ("plugins/sluice_airflow/parameters.py", ["tests/plugins/test_upgrade.py"]),
        ("requirements.txt", ["tests/test_imports.py"]),
        # rules are the table's
        ("dq/suites/silver/fx_rates.yaml", ["tests/jobs/silver/test_fx_rates.py"]),
        # of tests: itself, and of what tests share those beside it
        ("tests/dq/test_suite.py", ["tests/dq/test_suite.py"]),
        ("tests/dq/test_that_was_removed.py", ["tests/dq/test_suite.py"]),
        ("tests/conftest.py", ["tests/test_imports.py"]),
        ("README.md", [OF_DOCS]),
        ("Makefile", [OF_THE_MAKEFILE]),
    ],
)
def test_tests_of_a_changed_file(tmp_path: Path, changed: str, tests: list[str]) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert chosen([changed], tmp_path) == tests


def test_tests_named_here_exist_and_run_once() -> None:
    changed = ["jobs/silver/orders.py", "dq/suites/silver/orders.yaml", "README.md", "Makefile"]
    found = chosen(changed)
    assert len(found) == len(set(found)) == 4
    assert all((Path(__file__).parents[1] / test).is_file() for test in found)
