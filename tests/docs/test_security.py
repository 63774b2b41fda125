"""The threat model names a test for each boundary, and each test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "security.md").read_text()
BOUNDARIES = PAGE.partition("## Boundaries")[2].partition("\n## ")[0]
ROWS = [line for line in BOUNDARIES.splitlines() if line.startswith("|")][2:]


def missing_tests(text: str) -> list[str]:
    """Ids of tests that no file has."""
    named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", text)
    return [
        f"{file}::{name}"
        for file, name in named
        if not (REPOSITORY / file).exists() or f"def {name}(" not in (REPOSITORY / file).read_text()
    ]


def test_every_boundary_has_a_guard_and_a_test() -> None:
    assert len(ROWS) >= 15
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        assert all(cells), row
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", cells[3]), f"no test: {cells[0]}"


def test_every_test_that_is_named_exists() -> None:
    assert missing_tests(PAGE) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    gone = "tests/docs/test_security.py::test_nothing"
    assert missing_tests(f"see `{gone}` and `tests/nowhere.py::test_a`") == [gone, "tests/nowhere.py::test_a"]


def test_every_secret_of_the_runbook_has_its_rotation() -> None:
    operations = (REPOSITORY / "docs" / "operations.md").read_text()
    secrets = set(re.findall(r"`(sluice/\w+/credentials)`", operations))
    assert len(secrets) >= 3
    rotation = PAGE.partition("## Change a secret")[2]
    assert {name for name in secrets if f"| `{name}` |" not in rotation} == set()
