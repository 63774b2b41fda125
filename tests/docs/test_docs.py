"""What the documents name is there: files, links, make targets, steps. Their queries run in the flow tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import run
from jobs.lake import tables

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
TARGETS = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M)
MADE = (".venv", ".sluice", "build", "ops/", "_checkpoints/", "_locks/")  # not files of the checkout
FOLDERS = {path.name for path in REPOSITORY.iterdir() if path.is_dir()}

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """File and anchor of each relative link."""
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            yield (document.parent / file if file else document), anchor


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing_files(text: str) -> list[str]:
    """Paths in backticks or commands whose first part is a folder of the checkout, and that are not there."""
    named = re.findall(r"(?<![\w./<*-])((?:[\w.-]+/)+[\w.-]+\.(?:py|yaml|md|zip|txt))(?![\w*<])", text)
    mine = [path for path in named if path.partition("/")[0] in FOLDERS and not path.startswith(MADE)]
    return [path for path in mine if not (REPOSITORY / path).exists()]


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    for file, anchor in links(document):
        assert file.exists(), f"{document.name} links to {file}"
        assert not anchor or anchor in anchors(file), f"{document.name} links to #{anchor} of {file.name}"


@every_document
def test_files_that_are_named_are_there(document: Path) -> None:
    assert missing_files(document.read_text()) == []


@every_document
def test_make_targets_and_steps_that_are_named_are_there(document: Path) -> None:
    text = document.read_text()
    used = set(re.findall(r"(?:^|[`(])make ([a-z-]+)", text, re.M))
    assert used <= set(TARGETS), used - set(TARGETS)
    steps = set(re.findall(r'STEP="([\w.]+)', text)) | set(re.findall(r"-m jobs\.run ([\w.]+)", text))
    assert steps <= {*run.STEPS, *(table.name for table in tables.every())}


def test_targets_and_steps_are_found_in_the_text() -> None:
    readme, operations = (DOCUMENTS[0].read_text(), (REPOSITORY / "docs" / "operations.md").read_text())
    assert "make run" in readme
    assert 'STEP="dlq.replay' in operations


def test_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= 130


def test_what_is_not_there_is_noticed(tmp_path: Path) -> None:
    assert missing_files("see `jobs/lake/nothing.py` and `jobs/lake/tables.py`") == ["jobs/lake/nothing.py"]
    document = tmp_path / "x.md"
    document.write_text("# A title, here\n[a](#a-title-here) [b](gone.md#x)")
    assert list(links(document)) == [(document, "a-title-here"), (tmp_path / "gone.md", "x")]
    assert anchors(document) == {"a-title-here"}
