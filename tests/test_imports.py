"""Which folder may import which: read from the import statements, also those inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def modules(folder: str) -> dict[str, Path]:
    """The modules below a folder by their dotted names."""
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    assert files, f"there is no module in {folder}"
    return {_dotted(file): file for file in files}


def _dotted(file: Path) -> str:
    return ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def imported(text: str) -> Iterator[str]:
    """The dotted names that a module's text imports; for `from a import b` both `a.b` and `a`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield node.module


def of_folder(text: str, folder: str) -> list[str]:
    return [name for name in imported(text) if name == folder or name.startswith(f"{folder}.")]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of an import circle; nothing when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def imports_within(folder: str) -> dict[str, set[str]]:
    """Module -> the modules of the same folder that it imports; a package only counts for names of its own."""
    files = modules(folder)
    graph = {}
    for name, file in files.items():
        found = set()
        for wanted in imported(file.read_text()):
            if wanted in files and (files[wanted].name != "__init__.py" or files[wanted].stat().st_size):
                found.add(wanted)
        graph[name] = {one for one in found if not name.startswith(f"{one}.")} - {name}
    return graph


@pytest.mark.parametrize("folder", ["benchmarks", "dags", "dq", "infra", "jobs", "plugins"])
def test_no_code_imports_tests(folder: str) -> None:
    assert [name for name, file in modules(folder).items() if of_folder(file.read_text(), "tests")] == []


def test_set_up_imports_nothing_of_the_local_platform() -> None:
    assert [name for name, file in modules("infra/setup").items() if of_folder(file.read_text(), "infra.local")] == []


def test_local_platform_has_no_import_circle() -> None:
    graph = imports_within("infra/local")
    assert graph["infra.local.lifecycle"] >= {"infra.local.listeners", "infra.local.aws.emr.process"}
    assert circle(graph) == []


def test_every_form_of_an_import_is_seen() -> None:
    for text in ("import tests.aws", "from tests import aws", "def f():\n    from tests.aws import server"):
        assert of_folder(text, "tests"), text
    assert of_folder("import testsuite\nfrom jobs.tests import x", "tests") == []


def test_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
